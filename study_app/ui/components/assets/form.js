/* study-app; the licences of bundled packages are in LICENSES.txt */
function a(i,e={},...t){let o=document.createElement(i);for(let[s,r]of Object.entries(e))r==null||r===!1||(typeof r=="function"?o.addEventListener(s.slice(2),r):o.setAttribute(s,r===!0?"":String(r)));for(let s of t)s&&o.append(s);return o}function w(i,e){i.innerHTML=e}var E=class{element=a("div",{class:"sa-hidden","aria-live":"polite"});say(e){this.element.textContent="",setTimeout(()=>this.element.textContent=e,60)}};function G(i){let e=a("span",{style:"display:none;color:var(--st-background-color)"});i.append(e);let t=getComputedStyle(i).getPropertyValue("--st-background-color").trim(),[o,s,r]=(getComputedStyle(e).color.match(/[\d.]+/g)??[]).map(Number);return e.remove(),!t||o===void 0||s===void 0||r===void 0?matchMedia("(prefers-color-scheme: dark)").matches:.299*o+.587*s+.114*r<128}var J=`/* Quiz pages and surveys: they stand in Streamlit's page, in its column; a quiz takes more of the window. */
.stElementContainer:has(.sa-form), [data-testid="stElementContainer"]:has(.sa-form) { opacity: 1 !important; transition: none !important; }
.stMainBlockContainer:has(.sa-form-quiz) { max-width: 76rem; }
.sa-form { position: relative; font-size: 16px; line-height: 1.6; }
.sa-form [hidden] { display: none !important; }
.sa-form *, .sa-form *::before, .sa-form *::after { box-sizing: border-box; }
.sa-form :is(h2, p, ul, ol, pre, fieldset, legend) { margin: 0; padding: 0; border: 0; color: inherit; font-family: var(--sans); }
.sa-form :is(p, ul, ol, li, label, span) { font-size: inherit; line-height: inherit; }
.sa-form pre, .sa-form code { font-family: var(--mono); }
.sa-form :focus-visible { outline: 2px solid var(--accent-ink); outline-offset: 2px; }

/* Above everything, while the page scrolls */
.sa-form-status { position: fixed; inset-block-start: 12px; inset-inline-end: 20px; z-index: 90; display: flex; align-items: center; gap: 16px; padding: 5px 14px; border-radius: 9px; border: 1px solid var(--line); background: var(--bg); }

/* Questions */
.sa-questions { display: grid; grid-template-columns: minmax(0, 1fr); gap: 2.1rem; }
.sa-form.sa-form .sa-form-heading { font-size: 1.2rem; font-weight: 620; line-height: 1.35; padding-top: .9rem; border-top: 1px solid var(--line); }
.sa-form.sa-form .sa-form-heading:first-child { padding-top: 0; border-top: 0; }
.sa-form .sa-form-block { max-width: 46rem; }
.sa-form-heading + .sa-form-block, .sa-form-heading + .sa-question { margin-top: -1.1rem; }
.sa-form .sa-prose { container-type: normal; padding: 0; font-size: inherit; overflow-wrap: break-word; }
.sa-form .sa-prose > * + * { margin-top: .7em; }
.sa-form .sa-prose :is(ul, ol) { padding-inline-start: 1.4em; }
.sa-form .sa-prose code { font-size: .9em; background: color-mix(in srgb, var(--ink) 7%, transparent); padding: .1em .3em; border-radius: 4px; color: inherit; white-space: break-spaces; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.sa-form .sa-prose pre { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: .55rem .8rem; overflow-x: auto; line-height: 1.5; }
.sa-form .sa-prose pre code { background: none; padding: 0; font-size: .9rem; white-space: pre; color: inherit; }
.sa-form .sa-prompt { max-width: 46rem; font-weight: 550; }
.sa-form .sa-prompt p { display: inline-block; }
.sa-form .sa-prompt code, .sa-form .sa-prompt pre { font-weight: 400; }
.sa-optional { color: var(--muted); font-weight: 400; }
.sa-form .sa-form-hint { color: var(--muted); font-size: .93rem; margin-top: .25rem; }
.sa-form-hint:empty { display: none; }
.sa-form .sa-answer { margin-top: .55rem; }
.sa-form .sa-fault { color: var(--bad); font-size: .95rem; margin-top: .45rem; }
.sa-form .sa-at-fault { border-inline-start: 3px solid var(--bad); padding-inline-start: .9rem; margin-inline-start: -1.1rem; }

/* Choices: the whole row answers */
.sa-options { display: grid; grid-template-columns: minmax(0, 1fr); gap: 2px; }
.sa-form .sa-option { display: flex; align-items: flex-start; gap: .7rem; min-height: 40px; padding: .5rem .7rem; margin-inline: -.7rem; border-radius: 8px; cursor: pointer; }
.sa-form .sa-option:hover { background: var(--soft); }
.sa-form .sa-option:has(:checked) { background: var(--tint); }
.sa-form .sa-option-words { flex: 1; min-width: 0; }
.sa-form :is(input[type="radio"], input[type="checkbox"]) { accent-color: var(--accent-solid); width: 18px; height: 18px; margin: .22em 0 0; flex: none; cursor: pointer; }
.sa-form .sa-clear { border: 0; background: none; color: var(--accent-ink); text-decoration: underline; text-underline-offset: 2px; font: 400 .93rem/1.5 var(--sans); padding: .3rem 0; cursor: pointer; }

/* Scales: the ends at the ends */
.sa-scale-ends { display: flex; justify-content: space-between; gap: 2rem; color: var(--muted); font-size: .93rem; }
.sa-scale-ends span { max-width: 45%; }
.sa-scale-ends span:last-child { text-align: end; }
.sa-scale-steps { display: flex; flex-wrap: wrap; }
.sa-form .sa-step-option { flex: 1 0 2.2rem; min-height: 52px; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: .2rem; border-radius: 8px; cursor: pointer; }
.sa-scale-long .sa-step-option { flex-basis: 1.9rem; font-size: .9rem; }
.sa-form .sa-step-option:hover { background: var(--soft); }
.sa-form .sa-step-option:has(:checked) { background: var(--tint); }
.sa-form .sa-step-option input { margin: 0; }
.sa-step-option .sa-option-words { flex: none; }

/* Sliders, places and matrices */
.sa-form .sa-slider { max-width: 46rem; }
.sa-form .sa-slider input { display: block; width: 100%; height: 28px; accent-color: var(--accent-solid); cursor: pointer; }
.sa-form .sa-slider-open input { opacity: .55; }
.sa-form .sa-slider-value { display: block; min-height: 1.6em; color: var(--muted); font-size: .95rem; }
.sa-ranking { display: grid; gap: .4rem; max-width: 46rem; }
.sa-form .sa-rank { display: flex; align-items: center; gap: .8rem; min-height: 44px; padding: .4rem .8rem; text-align: start; font: 400 1rem/1.5 var(--sans); color: inherit; background: var(--bg); border: 1px solid color-mix(in srgb, var(--ink) 45%, var(--bg)); border-radius: 8px; cursor: pointer; }
.sa-form .sa-rank:hover:enabled { background: var(--soft); }
.sa-form .sa-rank[aria-pressed="true"] { background: var(--tint); }
.sa-form .sa-place { flex: none; width: 1.9rem; height: 1.9rem; display: grid; place-items: center; border-radius: 50%; border: 1px solid var(--line); font-weight: 600; }
.sa-matrix { display: grid; gap: 2px; }
.sa-matrix-head, .sa-matrix-row { display: grid; grid-template-columns: minmax(9rem, 2fr) repeat(var(--columns), minmax(3.2rem, 1fr)); align-items: center; gap: .4rem; }
.sa-form .sa-matrix-head { color: var(--muted); font-size: .9rem; text-align: center; padding-bottom: .2rem; align-items: end; }
.sa-form .sa-matrix-row { padding: .15rem 0; border-top: 1px solid var(--line); }
.sa-form .sa-cell { display: grid; place-items: center; min-height: 44px; border-radius: 8px; cursor: pointer; }
.sa-form .sa-cell:hover { background: var(--soft); }
.sa-form .sa-cell:has(:checked) { background: var(--tint); }
.sa-form .sa-cell input { margin: 0; }
.sa-form .sa-cell .sa-option-words { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 620px) {
  .sa-matrix-head { display: none; }
  .sa-matrix-row { grid-template-columns: minmax(0, 1fr); gap: .2rem; padding: .7rem 0; }
  .sa-form .sa-cell { display: flex; place-items: unset; align-items: center; gap: .7rem; padding: 0 .5rem; }
  .sa-form .sa-cell .sa-option-words { position: static; width: auto; height: auto; clip-path: none; white-space: normal; }
}

/* Text */
.sa-form .sa-text { display: block; width: 100%; max-width: 46rem; font: 400 1rem/1.5 var(--sans); color: inherit; background: var(--bg); border: 1px solid color-mix(in srgb, var(--ink) 45%, var(--bg)); border-radius: 8px; padding: .55rem .75rem; }
.sa-form textarea.sa-text { resize: vertical; }
.sa-form .sa-text:focus { outline: 2px solid var(--accent-ink); outline-offset: 0; border-color: transparent; }
.sa-form .sa-text[aria-invalid="true"] { border-color: var(--bad); }
.sa-with-unit { display: flex; align-items: center; gap: .6rem; }
.sa-form .sa-with-unit .sa-text, .sa-form .sa-text[inputmode="decimal"] { width: 9rem; }
.sa-unit { color: var(--muted); }

/* Quiz items */
.sa-form .sa-item { border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.3rem 1.3rem; min-width: 0; }
.sa-form .sa-beside { margin: -1.5rem 0 0 1.3rem; }
.sa-form .sa-item legend { float: left; width: 100%; font-size: .9rem; font-weight: 550; color: var(--muted); margin-bottom: .35rem; }
.sa-form .sa-item legend + * { clear: both; }
.sa-form-quiz .sa-prompt { font-weight: 450; }
.sa-form-quiz .sa-at-fault { margin-inline-start: 0; }
.sa-item-columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.1rem; margin-top: .9rem; }
.sa-form .sa-item-code { background: var(--soft); border: 1px solid var(--line); border-radius: 8px; padding: .8rem 1rem; overflow-x: auto; font-size: .9rem; line-height: 1.55; align-self: start; }
.sa-item-code code { font-size: inherit; white-space: pre; color: inherit; background: none; }
.sa-item-columns .sa-form-hint { margin-top: 0; }
.sa-form-quiz .sa-form-hint + .sa-answer { margin-top: .35rem; }
.sa-code-box { border: 1px solid color-mix(in srgb, var(--ink) 45%, var(--bg)); border-radius: 8px; overflow: hidden; }
.sa-code-box:focus-within { outline: 2px solid var(--accent-ink); outline-offset: 1px; }
.sa-form .sa-code-box .cm-editor { height: auto; }
.sa-form .sa-code-box .cm-scroller { min-height: calc(var(--rows) * 22.4px + 1.2rem); max-height: 70vh; overflow: auto; }
.sa-form .sa-code-box .cm-content { padding: .6rem 0; }
.sa-form .sa-code-box .cm-editor::after { display: none; }
@media (min-width: 1080px) {
  .sa-item-columns { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.6rem; }
}

/* The way on */
.sa-form-foot { margin-top: 2.2rem; }
.sa-form .sa-form-note { color: var(--bad); margin-bottom: .8rem; }
.sa-form-note:empty { display: none; }
.sa-form button { font-family: var(--sans); }
.sa-form :is(.sa-primary, .sa-plain) { font: 550 1rem/1 var(--sans); border-radius: 8px; padding: 0 1.1rem; min-height: 42px; cursor: pointer; }
.sa-form .sa-primary { background: var(--accent-solid); color: var(--on-accent); border: 1px solid transparent; }
.sa-form .sa-primary:hover:enabled { background: color-mix(in srgb, var(--accent-solid) 88%, #000); }
.sa-form .sa-plain { background: var(--bg); color: inherit; border: 1px solid var(--line); }
.sa-form .sa-primary:disabled { opacity: .5; cursor: default; }
.sa-form .sa-dialog { border: 1px solid var(--line); border-radius: 12px; padding: 1.4rem 1.5rem; width: min(520px, 92vw); background: var(--bg); color: var(--ink); box-shadow: 0 16px 60px rgb(0 0 0 / .22); }
.sa-form .sa-dialog::backdrop { background: rgb(0 0 0 / .35); }
.sa-form.sa-form .sa-dialog h2 { font-size: 1.1rem; font-weight: 620; margin-bottom: .4rem; }
.sa-form .sa-dialog-bar { flex-wrap: wrap; }
.sa-form .sa-veil { position: fixed; inset: 0; z-index: 95; }
.sa-form .sa-veil .sa-card { justify-items: start; }
@media (max-width: 620px) {
  .sa-form-status { inset-inline-end: 8px; inset-block-start: 6px; }
  .sa-scale-steps { flex-wrap: nowrap; }
  .sa-form .sa-step-option { flex: 1 1 0; min-width: 24px; }
  .sa-form .sa-beside { margin-inline-start: 0; }
  .sa-scale-long .sa-scale-steps { display: grid; grid-template-columns: repeat(7, minmax(0, 1fr)); }
}

/* Below the clock, so that it covers no question; the same colours as in the workspace. */
.sa-form-time { position: fixed; inset-block-start: 54px; inset-inline-end: 20px; z-index: 90; max-width: 260px; padding: 9px 14px; border-radius: 9px; font-size: 14px; font-weight: 550; border: 1px solid var(--warm); background: color-mix(in srgb, var(--warm) 16%, var(--bg)); }
.sa-form-time.sa-urgent { background: var(--bad); color: var(--bg); border-color: var(--bad); }
.sa-form-time[hidden] { display: none; }
.sa-form-interview .sa-form-bar { display: flex; flex-wrap: wrap; gap: .6rem; }
`;var _=class{constructor(e){this.send=e}send;timer;n=0;get running(){return this.timer!==void 0}start(e){if(this.running)return;let t=()=>this.send({...e,n:++this.n});this.timer=window.setInterval(t,3e3),setTimeout(t,50)}stop(){clearInterval(this.timer),this.timer=void 0}};var N={status:0,body:{}},k=class{constructor(e,t){this.prefix=e;this.headers=t?{"study-participant":t}:{}}prefix;headers;stream(e,t,o){return fetch(this.prefix+e,{method:"POST",credentials:"same-origin",headers:{...this.headers,"content-type":"application/json"},body:JSON.stringify(t),signal:o??null})}async post(e,t,o=15e3){let s=new AbortController,r=setTimeout(()=>s.abort(),o);try{return await Y(await this.stream(e,t,s.signal))}catch{return N}finally{clearTimeout(r)}}async get(e){try{let t={credentials:"same-origin",cache:"no-store",headers:this.headers};return await Y(await fetch(this.prefix+e,t))}catch{return N}}farewell(e,t){fetch(this.prefix+e,{method:"POST",credentials:"same-origin",headers:{...this.headers,"content-type":"application/json"},body:t,keepalive:!0}).catch(()=>{})}};async function Y(i){let{status:e}=i;try{let t=await i.json();return typeof t!="object"||t===null||e>=500?{status:0,body:t??{}}:{status:e,body:t}}catch{return e===413?{status:e,body:{}}:{...N,refused:e}}}function X({status:i,body:e},t,o){return e.error??(i===413?t("too_large"):o)}function Z(i){return(e,t={})=>(i()[e]??`[${e}]`).replace(/\{(\w+)\}/g,(o,s)=>String(t[s]??o))}function ee(i){let e=Math.max(0,Math.ceil(i)),[t,o,s]=[Math.floor(e/3600),Math.floor(e%3600/60),e%60],r=String(s).padStart(2,"0");return t?`${t}:${String(o).padStart(2,"0")}:${r}`:`${o}:${r}`}function x(){return document.documentElement.lang||"en"}function b(i){return i.toLocaleString(x(),{useGrouping:!1,maximumFractionDigits:20})}var L=class{offset=0;roundTrip=1/0;drawnAt=null;drawn(e){e!==this.drawnAt&&(this.drawnAt=e,this.sync(e))}sync(e,t=1e3){let o=e+t/2-Date.now();t>this.roundTrip&&Math.abs(o-this.offset)<2e3||(this.offset=o,this.roundTrip=t)}now(){return Date.now()+this.offset}},Se=[{seconds:300,key:"five_minutes_left",urgent:!1},{seconds:60,key:"one_minute_left",urgent:!0}],Ee=/^\d+(?::\d\d)+ – /,T=class{constructor(e,t,o,s,r=""){this.clock=t;this.deadline=o;this.on=s;this.element=a("div",{class:"sa-clock",role:"timer","aria-label":e("time_left"),"aria-live":"off"}),this.scope.textContent=r,this.element.append(a("span",{class:"sa-clock-label"},e("time_left")," ",this.scope),this.value),this.warning=({key:n,urgent:d})=>this.on.warn(e(n),d),this.timer=window.setInterval(()=>this.tick(),250),document.addEventListener("visibilitychange",this.tick),this.tick()}clock;deadline;on;value=a("span",{class:"sa-clock-value"});scope=a("span");element;timer;last=1/0;warning;showScope(e){this.scope.textContent=e}tick=()=>{let e=this.deadline();if(this.element.hidden=e===null,e===null)return this.title("");let t=(e-this.clock.now())/1e3,o=ee(t);this.value.textContent!==o&&(this.value.textContent=o),this.title(o),this.element.classList.toggle("sa-clock-soon",t<=300),this.element.classList.toggle("sa-clock-last",t<=60);for(let s of Se)t<=s.seconds&&t>s.seconds-30&&this.last>s.seconds&&this.warning(s);this.last=t,t<=0&&this.on.zero()};title(e){let t=document.title.replace(Ee,""),o=e?`${e} – ${t}`:t;document.title!==o&&(document.title=o)}destroy(){clearInterval(this.timer),this.title(""),document.removeEventListener("visibilitychange",this.tick)}};var _e=[0,401,429],te="event_refused";function B([i,e]){return{page:i,events:e,most:1/0}}var A=class{constructor(e,t,o){this.api=e;this.store=t;this.hooks=o}api;store;hooks;batchBytes=4e5;async sendAll(e){for(;e.length;){let t=e[0];for(;t.events.length;){let o=t.events.length,s=await this.send(t,!1);if(s==="retry")return!1;if(s!=="again"&&t.events.length===o)break}t.events.length||this.store.forgetDrafts(o=>o.page===t.page),e.shift()}return!0}async send(e,t){let o=V(e.events.slice(0,e.most),this.batchBytes),s=performance.now(),r=await this.api.post("/api/events",{page:e.page,events:o}),n=r.body.ack;return typeof n=="number"&&r.status!==0&&this.drop(e,n),r.status===400||r.status===413?this.unacceptable(r,e,o,t):r.status!==200?this.failed(r,e,t):!t&&typeof n=="number"&&n<o[0].seq?"refused":typeof n!="number"||n<o[0].seq?this.failed({status:0,body:{}},e,t):(e.most=1/0,this.hooks.answered(e,r,performance.now()-s),"done")}unacceptable(e,t,o,s){if(e.status===413&&(this.batchBytes=Math.max(2e4,this.batchBytes/2)),o.length>1)return t.most=Math.floor(o.length/2),"again";let r=t.events.findIndex(m=>m.seq===o[0].seq),n=t.events[r];if(!n||n.event.kind===te)return s?this.failed(e,t,s):"refused";let{kind:d,payload:l}=n.event,p={refused:d,why:String(e.body.error??e.status).slice(0,300)};(d==="load"||d==="edit")&&typeof l.task=="string"&&(p.task=l.task);let c={...n,event:{...n.event,kind:te,payload:p}};return t.events[r]=c,this.store.put(c,null),this.hooks.noted(t,n.event),"again"}failed(e,t,o){return!o&&e.status!==409&&!_e.includes(e.status)?"refused":this.hooks.failed(t,e)}drop(e,t){let o=e.events.filter(s=>s.seq<=t);o.length&&(e.events=e.events.filter(s=>s.seq>t),this.hooks.dropped(e,o,t))}};function V(i,e,t=!1){let o=[],s=0;for(let{event:r}of i){if(s+=new Blob([JSON.stringify(r)]).size+1,s>e&&(t||o.length))break;o.push(r)}return o}var Le="study-app";var M=class i{constructor(e,t){this.database=e;this.owner=t;this.durable=e!==null}database;owner;puts=[];draft=null;scheduled=!1;durable=!0;static async open(e){let t=await Promise.race([Te(),new Promise(o=>setTimeout(o,3e3,null))]);return new i(t,e)}put(e,t){this.durable&&(this.puts.push(e),t&&(this.draft=t),!this.scheduled&&(this.scheduled=!0,setTimeout(()=>this.write(),0)))}write(){this.scheduled=!1;let[e,t]=[this.puts,this.draft];!e.length||!this.durable||(this.puts=[],this.draft=null,this.change((o,s)=>{for(let r of e)o.put(r);t&&s.put({...t(),at:Date.now()})}))}keep(e,t){this.change((o,s)=>{t?s.put({owner:this.owner,task:e,page:"",text:t,base:null,at:Date.now()}):s.delete([this.owner,e])})}forgetDrafts(e){this.draft&&e(this.draft())&&(this.draft=null),this.change((t,o)=>{o.openCursor().onsuccess=({target:s})=>{let r=s.result;if(!r)return;let n=r.value;n.owner===this.owner&&e(n)&&r.delete(),r.continue()}})}forgetOwner(){this.forgetDrafts(()=>!0),this.change(e=>{e.openCursor().onsuccess=({target:t})=>{let o=t.result;o&&(o.value.owner===this.owner&&o.delete(),o.continue())}})}acknowledged(e,t,o){this.write(),this.change((s,r)=>{s.delete(IDBKeyRange.bound([e,0],[e,t])),o&&r.put({...o(),at:Date.now()})})}async leftovers(){let e=await this.all("events"),t=new Map;e.sort((o,s)=>o.event.client_time_ms-s.event.client_time_ms||o.seq-s.seq);for(let o of e)oe(o.event.client_time_ms,12096e5)?this.forget(o):o.owner===this.owner&&t.set(o.page,[...t.get(o.page)??[],o]);for(let o of t.values())o.sort((s,r)=>s.seq-r.seq);return t}async drafts(){let e=new Map;for(let t of await this.all("drafts")){t.at===void 0&&this.change((s,r)=>r.put({...t,at:Date.now()}));let o=t.owner===this.owner?12096e5:864e5;oe(t.at??Date.now(),o)?this.change((s,r)=>r.delete([t.owner,t.task])):t.owner===this.owner&&e.set(t.task,t)}return e}forget(e){this.change(t=>t.delete([e.page,e.seq]))}change(e){if(this.database)try{let t=this.database.transaction(["events","drafts"],"readwrite",{durability:"relaxed"});t.onabort=t.onerror=()=>this.durable=!1,e(t.objectStore("events"),t.objectStore("drafts"))}catch{this.durable=!1}}all(e){let t=this.database;return t?new Promise(o=>{let s=t.transaction(e).objectStore(e).getAll();s.onsuccess=()=>o(s.result),s.onerror=()=>o([])}):Promise.resolve([])}close(){this.write(),this.database?.close()}};function Te(){return new Promise(i=>{try{let e=indexedDB.open(Le,1);e.onupgradeneeded=()=>{e.result.createObjectStore("events",{keyPath:["page","seq"]}),e.result.createObjectStore("drafts",{keyPath:["owner","task"]})},e.onsuccess=()=>i(e.result),e.onerror=e.onblocked=()=>i(null)}catch{i(null)}})}function D(i){let e=2166136261;for(let t=0;t<i.length;t++)e=Math.imul(e^i.charCodeAt(t),16777619);return`${i.length}:${(e>>>0).toString(16)}`}function oe(i,e){return Date.now()-i>e}var se=2e3,ie=200,Ae=6e4,re=[1e3,2e3,3e3],Me=5e3,De=3,ze=3,z=class{constructor(e,t,o,s,r){this.api=e;this.store=t;this.clock=o;this.owner=s;this.listener=r;this.outbox=new A(e,t,{answered:(n,d,l)=>this.answered(n,d,l),dropped:(n,d,l)=>this.dropped(n,d,l),noted:(n,d)=>this.noted(n,d),failed:(n,d)=>this.failed(d,n)}),window.addEventListener("pagehide",this.farewell),window.addEventListener("online",this.retryNow),document.addEventListener("visibilitychange",this.retryNow)}api;store;clock;owner;listener;page=Fe();seq=0;own=B([this.page,[]]);outbox;leftovers=[];needed=()=>!0;heldUp=0;sending=!1;failures=0;timer;opened=!1;toldOfDisk=!1;refusal=null;turnedAway={status:0,times:0};ackedHash=null;tooMuch=1/0;behind=!1;document=null;adopt(e,t=()=>!0){this.leftovers=[...e].map(B),this.needed=t}start(){this.flush()}add(e,t,o){if(this.refusal==="superseded")return;let s={seq:++this.seq,kind:e,client_time_ms:Date.now(),mono_ms:Math.round(performance.now()*10)/10,payload:t},r=o===void 0?null:D(o),n={owner:this.owner,page:this.page,seq:s.seq,event:s,hash:r};this.own.events.push(n),this.store.put(n,r===null?null:this.draft),this.own.events.length%ie===0?this.flush():this.schedule(se),this.report(),this.behind&&!this.isTooLong()&&this.reload()}get last(){return this.seq}draft=()=>({owner:this.owner,task:this.document?.task??"",page:this.page,text:this.document?.text()??"",base:this.ackedHash});async settle(e){let t=Date.now()+e,o=this.seq;for(;Date.now()<t&&!this.refusal;){if((this.own.events[0]?.seq??1/0)>o||(await this.flush(),(this.own.events[0]?.seq??1/0)>o))return!0;await new Promise(s=>setTimeout(s,150))}return!1}forgetDrafts(e){[this.own,...this.leftovers].some(({events:o})=>o.some(({hash:s})=>s!==null))||this.store.forgetDrafts(({task:o})=>e(o))}reopen(){this.refusal!=="superseded"&&(this.refusal=null,this.flush())}async flush(){if(!(this.sending||this.refusal)){this.sending=!0,clearTimeout(this.timer),this.timer=void 0;try{await this.sendEverything()}finally{this.sending=!1}this.own.events.length&&!this.refusal&&this.schedule(this.failures?this.backoff():se),this.report()}}async sendEverything(){let e=await this.outbox.sendAll(this.leftovers);if(!e&&++this.heldUp<De)return;let t=this.opened;if(await this.open())for(t||await this.forgetWhatIsOver(),e||(this.leftovers=[]);this.own.events.length&&!this.refusal;){let o=await this.outbox.send(this.own,!0);if(o!=="again"&&(o!=="done"||this.own.events.length<ie))return}}async forgetWhatIsOver(){let e=await this.store.leftovers();this.store.forgetDrafts(({task:t,page:o})=>o!==this.page&&!this.needed(t)&&!e.has(o))}async open(){if(this.opened)return!0;let e=performance.now(),t=await this.api.post("/api/open",{page:this.page,mono_ms:Math.round(e*10)/10});return t.status!==200?this.failed(t,this.own)==="done":(this.opened=!0,this.heard(t.body,performance.now()-e),!0)}answered(e,{body:t},o){this.failures=this.turnedAway.times=0,this.heard(t,o),e===this.own&&t.load_again===!0&&this.reload()}noted(e,{kind:t,payload:o}){let s=e===this.own;t==="load"&&(this.tooMuch=Math.min(this.tooMuch,String(o.text??"").length)),s&&t==="answer_load"&&(this.tooMuch=Math.min(this.tooMuch,this.length)),s&&(t==="load"||t==="edit"||t.startsWith("answer_"))&&this.reload()}reload(){this.behind=this.isTooLong(),this.behind||this.listener.reload()}isTooLong(){return this.length>=this.tooMuch}get length(){return this.document?.text().length??0}failed(e,t){return e.status===409?(t===this.own&&this.refuse(String(e.body.reason??"stage"),e.body),"refused"):(this.countRefusal(e.refused??e.status),e.status===401&&this.listener.refused("identity"),this.failures+=1,"retry")}countRefusal(e){let t=e>=400&&e<500&&e!==401&&e!==429;this.turnedAway=t?{status:e,times:this.turnedAway.times+1}:{status:0,times:0}}refuse(e,t){let o=this.refusal===null;this.refusal=e,clearTimeout(this.timer),this.timer=void 0,this.heard(t,1e3),o&&(this.listener.refused(e),this.drain(),e==="superseded"&&setTimeout(()=>{this.drain()},5e3))}async drain(){for(let e=!0;e&&this.own.events.length;){let t=this.own.events.length;e=await this.outbox.send(this.own,!0)==="again"||this.own.events.length<t}}dropped(e,t,o){let s=e===this.own,r=t.flatMap(n=>n.hash??[]);s&&r.length&&(this.ackedHash=r[r.length-1]),this.store.acknowledged(e.page,o,s&&r.length&&this.document?this.draft:null)}heard(e,t){typeof e.now_ms=="number"&&this.clock.sync(e.now_ms,t),this.listener.server(e)}schedule(e){this.sending||this.refusal||this.timer!==void 0||(this.timer=window.setTimeout(()=>{this.timer=void 0,this.flush()},e))}backoff(){return re[Math.min(this.failures,re.length)-1]*(.8+.4*Math.random())}retryNow=()=>{this.failures=0,this.flush()};farewell=()=>{if(this.store.write(),this.refusal||!this.opened||!this.own.events.length)return;let e=V(this.own.events,Ae-200,!0);e.length&&this.api.farewell("/api/events",JSON.stringify({page:this.page,events:e}))};report(){!this.store.durable&&!this.toldOfDisk&&(this.toldOfDisk=!0,this.add("storage_full",{}));let e=this.own.events[0],t=e!==void 0&&Date.now()-e.event.client_time_ms>Me;this.listener.saving(this.state(t),this.store.durable,this.turnedAway.status)}state(e){return this.failures?this.turnedAway.times<ze?"offline":"turned_away":e?"saving":this.behind?"too_long":"saved"}destroy(){this.farewell(),this.refusal??="closed",clearTimeout(this.timer),window.removeEventListener("pagehide",this.farewell),window.removeEventListener("online",this.retryNow),document.removeEventListener("visibilitychange",this.retryNow),this.store.close()}};function Fe(){let i=crypto.getRandomValues(new Uint8Array(16));return Array.from(i,e=>e.toString(16).padStart(2,"0")).join("")}function ne(i){let e=()=>({w:window.innerWidth,h:window.innerHeight}),t=0,o=[[window,"focus",()=>i.add("focus",{})],[window,"blur",()=>i.add("blur",{})],[window,"online",()=>i.add("online",{})],[window,"offline",()=>i.add("offline",{})],[document,"visibilitychange",()=>i.add(document.hidden?"hidden":"visible",{})],[window,"resize",()=>{clearTimeout(t),t=window.setTimeout(()=>i.add("resize",e()),500)}]];for(let[r,n,d]of o)r.addEventListener(n,d);i.add("resize",e()),i.add(document.hidden?"hidden":"visible",{}),i.add(document.hasFocus()?"focus":"blur",{});let s=window.setInterval(()=>{document.hidden||i.add("heartbeat",{focused:document.hasFocus()})},1e4);return()=>{clearInterval(s),clearTimeout(t);for(let[r,n,d]of o)r.removeEventListener(n,d)}}var Ce=[[/^insertFromPaste|^insertFromYank/,"paste"],[/^insertFromDrop/,"drop"],[/^deleteBy(Cut|Drag)/,"cut"],[/^historyUndo/,"undo"],[/^historyRedo/,"redo"]];function ae(i){if(!i.isTrusted)return"programmatic";let e=i.inputType??"";return Ce.find(([t])=>t.test(e))?.[1]??"typed"}function le(i,e){let t=Math.min(i.length,e.length),o=0;for(;o<t&&i.charCodeAt(o)===e.charCodeAt(o);)o++;(F(i,o)||F(e,o))&&o--;let s=0;for(;s<t-o&&i.charCodeAt(i.length-1-s)===e.charCodeAt(e.length-1-s);)s++;for(;s>0&&(F(i,i.length-s)||F(e,e.length-s));)s--;let r={from:o,to:i.length-s,insert:e.slice(o,e.length-s)};return r.to>r.from&&(r.deleted=i.slice(r.from,r.to)),r}function F(i,e){return e>0&&e<i.length&&/^[\ud800-\udbff][\udc00-\udfff]$/.test(i.slice(e-1,e+1))}function de(i){return i.replace(/\u0000/g,"").replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g,"�")}var C=class{constructor(e,t,o,s,r){this.data=e;this.value=t;this.say=s;let[n,d]=[e.low??0,e.high??100];this.input=a("input",{type:"range",min:n,max:d,step:1,"aria-labelledby":o.prompt,"aria-describedby":o.described||null,"aria-required":e.required?"true":null,onfocus:r.focus,oninput:()=>this.show(!0),onchange:()=>this.choose(r),onkeydown:p=>p.key===" "&&(p.preventDefault(),this.choose(r)),onpointerup:()=>this.choose(r)}),this.input.value=String(typeof t=="number"?t:Math.round((n+d)/2));let l=a("div",{class:"sa-scale-ends","aria-hidden":"true"});l.append(a("span",{},e.low_label||b(n)),a("span",{},e.high_label||b(d))),this.element.append(l,this.input,this.shown),this.show(typeof t=="number")}data;value;say;element=a("div",{class:"sa-answer sa-slider"});input;shown=a("output",{class:"sa-slider-value"});get focusable(){return this.input}choose(e){this.show(!0),Number(this.input.value)!==this.value&&(this.value=Number(this.input.value),e.set(this.value))}show(e){this.element.classList.toggle("sa-slider-open",!e);let t=e?`${this.input.value} ${this.data.unit}`.trim():this.say("slider_open");this.shown.textContent=t,this.input.setAttribute("aria-valuetext",t)}lock(e){this.input.disabled=e}},H=class{constructor(e,t,o,s,r){this.data=e;this.say=s;this.hooks=r;this.order=Array.isArray(t)?[...t]:[];let n=a("div",{class:"sa-ranking",role:"group","aria-labelledby":o.prompt,"aria-describedby":o.described||null});this.buttons=e.options.map((d,l)=>{let p=a("span",{class:"sa-place"});this.places.push(p);let c=a("button",{type:"button",class:"sa-rank","data-place":l,"data-value":String(d.value),onclick:()=>this.press(d.value),onfocus:r.focus},p,v(d.html));return n.append(c),c}),this.element.append(n),this.show()}data;say;hooks;element=a("div",{class:"sa-answer"});buttons;places=[];order;get value(){return this.order.length?this.order:null}get focusable(){return this.buttons.find((e,t)=>!this.order.includes(this.data.options[t].value))??this.buttons[0]}press(e){this.order=this.order.includes(e)?this.order.filter(t=>t!==e):[...this.order,e],this.hooks.set(this.value),this.show()}show(){this.data.options.forEach((e,t)=>{let o=this.order.indexOf(e.value);this.places[t].textContent=o<0?"":String(o+1),this.buttons[t].setAttribute("aria-pressed",String(o>=0));let s=o<0?this.say("rank_open"):this.say("rank_place",{n:o+1});this.buttons[t].setAttribute("aria-description",s)})}lock(e){for(let t of this.buttons)t.disabled=e}},O=class{constructor(e,t,o,s){this.hooks=s;this.given=t!==null&&typeof t=="object"&&!Array.isArray(t)?{...t}:{};let r=a("div",{class:"sa-matrix",role:"group","aria-labelledby":o.prompt,"aria-describedby":o.described||null,style:`--columns: ${e.options.length}`}),n=a("div",{class:"sa-matrix-head","aria-hidden":"true"},a("span",{}));for(let d of e.options)n.append(v(d.html));r.append(n);for(let d of e.grid)r.append(this.row(e,d));this.element.append(r)}hooks;element=a("div",{class:"sa-answer sa-matrix-box"});inputs=[];given;row(e,t){let[o,s]=[h(),h()],r=v(t.html);r.id=s;let n=a("div",{class:"sa-matrix-row",role:"radiogroup","aria-labelledby":s,"aria-required":e.required?"true":null,"data-row":t.id},r);for(let d of e.options){let l=a("input",{type:"radio",name:o,onchange:()=>this.choose(t.id,d.value),onfocus:this.hooks.focus});l.checked=this.given[t.id]===d.value,this.inputs.push(l),n.append(a("label",{class:"sa-cell","data-value":String(d.value)},l,v(d.html)))}return n}get value(){return Object.keys(this.given).length?this.given:null}get focusable(){return this.inputs.find(t=>!this.element.querySelector(`input[name="${t.name}"]:checked`))??this.inputs[0]}choose(e,t){this.given={...this.given,[e]:t},this.hooks.set(this.given)}lock(e){for(let t of this.inputs)t.disabled=e}};function pe(i,e,t,o,s,r){return i.kind==="choice"||i.kind==="scale"?new j(i,e,t,o,s):i.kind==="multiple"?new $(i,e,t,s):i.kind==="slider"?new C(i,e,t,o,s):i.kind==="ranking"?new H(i,e,t,o,s):i.kind==="matrix"?new O(i,e,t,s):i.kind==="code"&&r?new K(i,e,t,o,s,r):new Q(i,e,t,o,s)}var He=0;function h(){return`sa-f${++He}`}var j=class{constructor(e,t,o,s,r){this.value=t;this.hooks=r;let n=e.kind==="scale",d=h(),l=a("div",{class:n?"sa-scale-steps":"sa-options",role:"radiogroup","aria-labelledby":o.prompt,"aria-describedby":o.described||null,"aria-required":e.required?"true":null});this.inputs=e.options.map(p=>{let c=a("input",{type:"radio",name:d,onchange:()=>this.choose(p.value),onfocus:r.focus});return c.checked=p.value===t,l.append(a("label",{class:n?"sa-step-option":"sa-option","data-value":String(p.value)},c,v(p.html))),c}),this.element.append(l),n&&this.addEnds(l,e),this.clear=e.clearable?a("button",{type:"button",class:"sa-clear",onclick:()=>this.takeBack()},s("clear")):null,this.clear&&this.element.append(this.clear),this.showClear()}value;hooks;element=a("div",{class:"sa-answer"});inputs;clear;get focusable(){return this.inputs.find(e=>e.checked)??this.inputs[0]}addEnds(e,t){this.element.classList.add("sa-scale"),t.options.length>11&&this.element.classList.add("sa-scale-long");let o=a("div",{class:"sa-scale-ends","aria-hidden":"true"});o.append(a("span",{},t.low_label??""),a("span",{},t.high_label??"")),(t.low_label||t.high_label)&&e.before(o)}choose(e){e!==this.value&&(this.value=e,this.hooks.set(e),this.showClear())}takeBack(){for(let e of this.inputs)e.checked=!1;this.choose(null),this.inputs[0]?.focus()}showClear(){this.clear&&(this.clear.hidden=this.value===null)}lock(e){for(let t of this.inputs)t.disabled=e;this.clear&&(this.clear.disabled=e)}},$=class{constructor(e,t,o,s){this.data=e;this.hooks=s;let r=Array.isArray(t)?t:[],n=a("div",{class:"sa-options",role:e.number?null:"group","aria-labelledby":e.number?null:o.prompt,"aria-describedby":e.number?null:o.described||null});this.inputs=e.options.map(d=>{let l=a("input",{type:"checkbox",onchange:()=>this.hooks.set(this.value),onfocus:s.focus});return l.checked=r.includes(d.value),n.append(a("label",{class:"sa-option","data-value":String(d.value)},l,v(d.html))),l}),this.element.append(n)}data;hooks;element=a("div",{class:"sa-answer"});inputs;get value(){return this.data.options.filter((e,t)=>this.inputs[t].checked).map(e=>e.value)}get focusable(){return this.inputs[0]}lock(e){for(let t of this.inputs)t.disabled=e}},Q=class{constructor(e,t,o,s,r){this.data=e;this.say=s;this.hooks=r;let n={class:"sa-text","aria-labelledby":e.number||e.label?o.hint:o.prompt,"aria-describedby":o.described||null,"aria-required":e.required&&!e.number?"true":null,autocomplete:"off","data-gramm":"false",oninput:l=>this.onInput(l),onbeforeinput:l=>this.onBefore(l),onfocus:r.focus,onpaste:l=>r.incoming(l.clipboardData?.getData("text/plain")??"","paste"),ondrop:l=>r.incoming(l.dataTransfer?.getData("text/plain")??"","drop")},d=e.rows??1;this.box=d>1?a("textarea",{...n,rows:d}):a("input",{...n,type:"text",inputmode:e.kind==="number"?"decimal":null,spellcheck:e.number?"false":null}),this.box.value=typeof t=="string"?t:t===null?"":String(t),this.before=this.box.value,this.element.append(this.box),e.unit&&(this.element.classList.add("sa-with-unit"),this.element.append(a("span",{class:"sa-unit","aria-hidden":"true"},e.unit)))}data;say;hooks;element=a("div",{class:"sa-answer"});box;before;get value(){return this.before}get focusable(){return this.box}onBefore(e){let t=e.data??e.dataTransfer?.getData("text/plain")??"",o=(this.box.selectionEnd??0)-(this.box.selectionStart??0);!t||this.before.length-o+t.length<=this.data.limit||!e.cancelable||(e.preventDefault(),this.hooks.refuse(this.say("too_long_now",{limit:this.data.limit.toLocaleString(x())})))}onInput(e){this.makeStorable();let t=this.box.value;if(t===this.before)return;if(t.length>this.data.limit&&t.length>this.before.length){this.box.value=this.before,this.hooks.refuse(this.say("too_long_now",{limit:this.data.limit.toLocaleString(x())}));return}let o=le(this.before,t);this.before=t;let s=e.inputType??"";this.hooks.edit({kind:ae(e),changes:[o],length:t.length,user_event:s})}makeStorable(){let e=de(this.box.value);if(e===this.box.value)return;let t=this.box.selectionStart??e.length;this.box.value=e,this.box.setSelectionRange(Math.min(t,e.length),Math.min(t,e.length))}lock(e){this.box.readOnly=e}},K=class{element=a("div",{class:"sa-answer sa-code-answer"});editor;constructor(e,t,o,s,r,n){let d=h(),l=a("div",{class:"sa-code-box",style:`--rows: ${Math.max(3,e.rows??6)}`});this.element.append(l,a("div",{class:"sa-hidden",id:d},s("code_help"))),this.editor=new n.Editor(l,{label:s("code_answer"),help:`${d} ${o.described}`.trim(),phrases:n.phrasesOf(s)},{edit:p=>r.edit(p),full:()=>r.refuse(s("too_long_now",{limit:e.limit.toLocaleString(x())})),focus:p=>p&&r.focus(),run:()=>{},allow:(p,c)=>{let m=this.editor.text.length+p.length<=e.limit;return m?r.incoming(p,c):r.refuse(s("too_long_now",{limit:e.limit.toLocaleString(x())})),m}},typeof t=="string"?t:"")}get value(){return this.editor.text}get focusable(){return this.editor.view.contentDOM}lock(e){this.editor.lock(e)}destroy(){this.editor.destroy()}};function v(i){let e=a("span",{class:"sa-option-words sa-prose"});return w(e,i),e}var ce=2e4,S=class{constructor(e,t,o,s,r){this.data=e;this.say=o;this.hooks=s;this.code=r;let n=e.fields.filter(U),d=t===null?null:JSON.parse(t),l=p=>(d===null?p.value??p.starter:d[n.indexOf(p)])??null;for(let p of e.fields)U(p)?this.element.append(this.question(p,l(p))):this.element.append(this.block(p));r?.highlightBlocks(this.element)}data;say;hooks;code;element=a("div",{class:"sa-questions"});shown=[];copied=[];static serialised(e,t){let o=e.flatMap((s,r)=>U(s)?[me(s,t[r]??s.starter)]:[]);return JSON.stringify(o)}get text(){return JSON.stringify(this.shown.map(({data:e,field:t})=>me(e,t.value)))}get values(){return Object.fromEntries(this.shown.map(({data:e,field:t})=>[e.id,t.value??null]))}logShown(){this.hooks.log("answers_shown",{});for(let{data:e,field:t}of this.shown)(!W(t.value)||!W(e.value))&&this.hooks.log("answer_load",{field:e.id,value:t.value})}focusFirst(){document.activeElement===document.body&&this.shown[0]?.field.focusable.focus({preventScroll:!0})}lock(e){for(let{field:t}of this.shown)t.lock(e)}destroy(){for(let{field:e}of this.shown)e.destroy?.()}block(e){if(e.kind==="heading")return a("h2",{class:"sa-form-heading"},e.prompt);let t=a("div",{class:"sa-form-block sa-prose"});return w(t,e.prompt_html),t}question(e,t){let[o,s,r]=[h(),h(),h()],n=a("div",{class:"sa-prompt sa-prose",id:o});w(n,e.prompt_html),e.optional&&n.append(a("span",{class:"sa-optional"},` (${this.say("optional")})`));let d=a("p",{class:e.kind==="scale"||e.kind==="slider"?"sa-hidden":"sa-form-hint",id:s},this.hintOf(e)),l=a("p",{class:"sa-fault",id:r,hidden:!0}),p=!!e.label||e.number!==null&&(e.kind==="text"||e.kind==="code"),m=[e.label?o:!p&&d.textContent&&s,e.kind==="code"&&r].filter(Boolean).join(" "),u=pe(e,t,{prompt:o,hint:s,described:m},this.say,{set:g=>this.changed(e,"answer_set",{value:g}),edit:g=>this.changed(e,"answer_edit",{...g}),focus:()=>this.hooks.log("answer_focus",{field:e.id}),refuse:g=>this.refuse(e,g),incoming:(g,we)=>this.incoming(e,g,we)},this.code),f=e.number?this.item(e,n,d,u):a("div",{class:e.beside?"sa-question sa-beside":"sa-question"},n,d,u.element);return f.dataset.field=e.id,u.element.after(l),this.shown.push({data:e,field:u,box:f,message:l}),f}item(e,t,o,s){let r=this.say("question_of",{n:e.number,m:this.data.count}),n=a("fieldset",{class:"sa-question sa-item"},a("legend",{},r)),d=a("div",{class:"sa-item-answer"},o,s.element);if(n.append(t),e.code){let l=a("pre",{class:"sa-item-code",tabindex:0,role:"region","aria-label":this.say("given_code",{n:e.number})}),p=e.code.replace(/\n+$/,"");l.append(a("code",{},this.code?.highlighted(p,"python")??p)),n.append(a("div",{class:"sa-item-columns"},l,d))}else n.append(d);return n}hintOf(e){if(e.label)return e.label;if(e.number&&e.kind==="text")return this.say("your_answer");if(e.number&&e.kind==="code")return this.say("code_answer");if(e.number&&e.kind==="choice")return this.say("choose_one");if(e.kind==="multiple")return this.say(e.number?"choose_all":"choose_several");let t=s=>s===null?"":b(s),o={low:t(e.low),low_label:e.low_label,high:t(e.high),high_label:e.high_label};return e.kind==="ranking"?this.say("rank_help"):e.kind==="scale"||e.kind==="slider"?e.low_label||e.high_label?this.say("scale_ends",o):"":e.kind!=="number"||e.low===null||e.high===null?"":this.say("number_range",{low:b(e.low),high:b(e.high)})}changed(e,t,o){this.mark(e.id,null),this.hooks.log(t,{field:e.id,...o})}refuse(e,t){this.mark(e.id,{code:"too_long",words:t})}incoming(e,t,o){if(!t)return;let s=this.copied.includes(he(t))?"form":"outside",r={text:t.slice(0,ce),length:t.length,how:o,from:s,target:"answer",field:e.id};this.hooks.log("paste_attempt",r)}recordClipboard(){let e=t=>{let o=Re(t.target);if(!o)return;this.copied=[he(o),...this.copied].slice(0,40);let s=this.fieldAt(t.target),r={text:o.slice(0,ce),length:o.length,from:"form",...s?{field:s}:{}};this.hooks.log(t.type,r)};for(let t of["copy","cut"])this.element.addEventListener(t,e,!0);return()=>{for(let t of["copy","cut"])this.element.removeEventListener(t,e,!0)}}fieldAt(e){return(e instanceof Element?e.closest(".sa-answer"):null)?.closest("[data-field]")?.dataset.field}gaps(){let e=this.shown.filter(({data:t,field:o})=>W(o.value)||t.kind==="code"&&qe(o.value,t.starter));return e.filter(({data:t})=>!e.some(o=>o.data.id===t.beside))}async confirmGaps(e){let t=this.gaps();if(!t.length)return!0;let o=this.counted(t.length,"gaps_one","gaps_many"),s=await Ie(e,this.say("gaps_title"),o,this.say("go_back"),this.say("continue_anyway"));return s||this.goTo(t[0]),s}showFaults(e,t){let o=this.shown.filter(({data:n})=>e[n.id]);for(let{data:n}of this.shown)this.mark(n.id,e[n.id]??null);let s=o.filter(({data:n})=>e[n.id].code==="required").length,r=[s&&this.counted(s,"open_one","open_many"),o.length>s&&this.counted(o.length-s,"wrong_one","wrong_many")];t(r.filter(Boolean).join(" ")),o[0]&&this.goTo(o[0])}counted(e,t,o){let r=this.say("count_words").split(" ")[e-1]??String(e);return this.say(e===1?t:o,{One:r,Many:r,one:r.toLowerCase(),many:r.toLowerCase()})}goTo({field:e,box:t}){t.scrollIntoView({block:"center"}),e.focusable.focus({preventScroll:!0})}mark(e,t){let o=this.shown.find(({data:r})=>r.id===e);if(!o||t===null&&o.message.hidden)return;o.message.hidden=t===null,o.message.textContent=t?.words??"",o.box.classList.toggle("sa-at-fault",t!==null);let s=[o.field.focusable,...o.box.querySelectorAll("[role=radiogroup], [role=group]")];for(let r of s)t?r.setAttribute("aria-invalid","true"):r.removeAttribute("aria-invalid");if(o.data.kind!=="code")for(let r of s)Oe(r,o.message.id,t!==null)}};function Oe(i,e,t){let o=(i.getAttribute("aria-describedby")??"").split(" ").filter(s=>s&&s!==e);t&&o.push(e),o.length?i.setAttribute("aria-describedby",o.join(" ")):i.removeAttribute("aria-describedby")}function U(i){return i.kind!=="heading"&&i.kind!=="text_block"}function me(i,e){return e==null||i.kind!=="code"&&(e===""||typeof e=="object"&&!Object.keys(e).length)?null:typeof e!="object"||Array.isArray(e)?e:Object.fromEntries(Object.entries(e).sort(([t],[o])=>t<o?-1:1))}function W(i){return i==null||(typeof i=="object"?!Object.keys(i).length:typeof i=="string"&&!i.trim())}function qe(i,e){return!!e&&String(i).trim()===e.trim()}function he(i){return i.replace(/\s+/g," ").trim()}function Re(i){return i instanceof HTMLTextAreaElement||i instanceof HTMLInputElement?i.value.slice(i.selectionStart??0,i.selectionEnd??0):String(document.getSelection()??"")}function Ie(i,e,t,o,s){return new Promise(r=>{let n=h(),d=m=>{r(m),l.close(),l.remove()},l=a("dialog",{class:"sa-dialog","aria-labelledby":n,oncancel:()=>d(!1)}),p=a("button",{type:"button",class:"sa-primary",onclick:()=>d(!1)},o),c=a("button",{type:"button",class:"sa-plain","data-act":"anyway",onclick:()=>d(!0)},s);l.append(a("h2",{id:n},e),a("p",{},t),a("div",{class:"sa-dialog-bar"},c,p)),i.append(l),l.showModal(),p.focus()})}function ue(i,e,t){let o=i&&e.get(i.page);return!i||!o?.some(r=>r.hash!==null)?null:new Set([i.base,...o.map(r=>r.hash)]).has(D(t))?i.text:null}var Pe=["superseded","identity","submitted","stage","deadline"],fe=new Set(["superseded","identity"]),q=class{constructor(e,t,o){this.covered=e;this.say=t;this.announcer=o}covered;say;announcer;element=a("div",{class:"sa-veil",hidden:!0});shown=null;show(e){let t=Pe.find(o=>e.has(o))??null;this.element.hidden=t===null,this.covered.inert=e.size>0,t&&t!==this.shown&&this.write(t),this.shown=t}card(e,t,o){let s=a("button",{type:"button",class:"sa-primary",onclick:o},t);this.element.replaceChildren(a("div",{class:"sa-card"},a("p",{},e),s)),s.focus(),this.announcer.say(e)}write(e){let t=this.say(`veil_${e}`),o=a("button",{type:"button",class:"sa-plain",onclick:()=>location.reload()});o.append(this.say("use_this_window")),this.element.replaceChildren(a("div",{class:"sa-card"},a("p",{},t),fe.has(e)&&o)),fe.has(e)&&o.focus(),this.announcer.say(t)}};var ge=4e3,be=2e4,Be=4,Ve=1e4,je=6,$e=700,Qe=1500,R=new Map,I=class i{constructor(e,t,o,s){this.args=e;let{data:r}=e;this.key=ve(r),this.say=Z(()=>this.args.data.texts),this.api=new k(r.api,r.page_key),this.deadline=r.deadline_ms,this.clock.drawn(r.now_ms),this.log=new z(this.api,t,this.clock,r.page_key,{saving:(l,p,c)=>this.showSaving(l,p,c),server:l=>this.heard(l),refused:l=>this.refused(l),reload:()=>this.questions.logShown()}),this.advance=new _(l=>this.args.setTriggerValue("advance",l)),this.countdown=new T(this.say,this.clock,()=>this.deadline,{zero:()=>this.timeIsUp(),warn:(l,p)=>{this.announcer.say(l),this.timeNote.textContent=l,this.timeNote.hidden=!1,this.timeNote.classList.toggle("sa-urgent",p)}}),this.questions=new S(r,o,this.say,{log:(l,p)=>this.record(l,p),tell:l=>this.tell(l)},s),this.button=a("button",{type:"button",class:"sa-primary","data-act":"hand_in",onclick:()=>{this.press()}},r.button),this.others=(r.acts??[]).map(({act:l,label:p})=>a("button",{type:"button",class:"sa-plain","data-act":l,onclick:()=>{this.leave(l)}},p)),this.element=a("div",{class:`sa-form sa-form-${r.kind}`});let n=a("div",{class:"sa-form-content"},this.questions.element,this.foot());this.veil=new q(n,this.say,this.announcer);let d=a("div",{class:"sa-form-status"},this.saving,this.countdown.element);this.element.append(d,this.timeNote,n,this.announcer.element,this.veil.element),this.log.document={task:y(r),text:()=>this.questions.text},this.questions.logShown(),this.endings.push(ne(this.log),this.questions.recordClipboard()),this.showSaving("saved",!0),this.attend(e)}args;element;say;api;clock=new L;announcer=new E;log;timeNote=a("div",{class:"sa-time-note sa-form-time",hidden:!0});countdown;questions;advance;endings=[];saving=a("div",{class:"sa-saving",role:"status"});note=a("div",{class:"sa-form-note",role:"alert"});button;others;veil;locks=new Set;key;deadline;ending=null;lastProbe=0;busy=!1;pending=!1;pausedUntil=0;repeats=0;static async open(e){let{data:t}=e,o=await M.open(t.page_key),s=y(t),r=S.serialised(t.fields,t.fields.map(f=>f.value)),n=[o.leftovers(),o.drafts(),Ke(t),Ue(t)],[d,l,p,c]=await Promise.all(n),m=ue(l.get(s)??null,d,r)??p,u=new i(e,o,m,c);return u.log.adopt(d,f=>f===s),u.log.start(),u}attend(e){this.args=e;let{data:t}=e;this.element.dataset.scheme=G(this.element)?"dark":"light",this.deadline=t.deadline_ms,this.clock.drawn(t.now_ms),this.reopenIfTimeRemains(),(this.locks.has("stage")||this.locks.has("submitted"))&&this.askAgain(),this.countdown.tick()}shows(e){return y(e)===y(this.args.data)&&e.page_key===this.args.data.page_key}foot(){let{no_way_back:e}=this.args.data,t=a("div",{class:"sa-form-foot"},this.note,a("div",{class:"sa-form-bar"},this.button,...this.others));return e&&t.append(a("p",{class:"sa-form-hint"},this.say("no_way_back"))),t}record(e,t){let{stage:o,step:s}=this.args.data,r=e.startsWith("answer_")&&e!=="answer_focus";(e==="answer_set"||e==="answer_edit")&&(this.pending=!1,this.tell(""));let n=r||e==="answers_shown"?this.questions.text:void 0;this.log.add(e,{stage:o,step:s,...t},n),n!==void 0&&R.set(this.key,{page:this.log.page,text:n})}async press(){this.busy||this.locks.size||(this.tell(""),!(this.args.data.kind==="quiz"&&!await this.questions.confirmGaps(this.element))&&(this.busy||this.locks.size||(this.record("submit_pressed",{}),this.repeats=0,await this.send())))}async send(){if(!(this.busy||this.locks.size)){this.setBusy(!0),this.pending=!1;try{for(let e=0;e<Be;e++)if(await this.sendOnce()==="done")return;this.notTaken()}finally{this.setBusy(!1)}}}async leave(e){if(!(this.busy||this.locks.size)){this.tell(""),this.setBusy(!0);try{if(await this.log.settle(ge),this.locks.size)return;let{stage:t,step:o}=this.args.data,{status:s,body:r}=await this.api.post("/api/interview",{page:this.log.page,stage:t,step:o,act:e},be);s===200?this.accepted():s===409?this.log.refuse(String(r.reason??"stage"),r):s===401?this.lock("identity"):this.tell(this.say("unreachable"))}finally{this.setBusy(!1)}}}async sendOnce(){if(await this.log.settle(ge),this.locks.size)return"done";let{stage:e,step:t}=this.args.data,o=await this.api.post("/api/answers",{page:this.log.page,seq:this.log.last,stage:e,step:t,shown:this.questions.values},be),{status:s,body:r}=o;if(s===200&&r.accepted)this.accepted();else if(s===200)this.questions.showFaults(r.faults??{},n=>this.tell(n));else{if(s===409&&r.reason==="behind")return"again";if(s===409&&r.reason==="differs")return this.questions.logShown(),"again";s===409?this.log.refuse(String(r.reason??"stage"),r):s===401?this.lock("identity"):s===413?this.tell(X(o,this.say,"")):this.unreachable()}return"done"}accepted(){R.delete(this.key),this.over("submitted")}unreachable(){this.pending=!0,this.tell(this.say("unreachable"))}notTaken(){this.pausedUntil=Date.now()+Ve,this.pending=this.repeats++<je,this.tell(this.say(this.pending?"not_taken":"never_taken"))}setBusy(e){this.busy=e,this.button.setAttribute("aria-disabled",String(e)),this.button.textContent=e?this.say("sending"):this.args.data.button}tell(e){this.note.textContent!==e&&(this.note.textContent=e)}over(e){if(this.advance.running)return;let{stage:t,step:o}=this.args.data;this.ending=e,this.lock(e),this.advance.start({reason:e,stage:t,step:o})}heard(e){e.deadline_ms!==void 0&&(this.deadline=e.deadline_ms);let{data:t}=this.args;this.locks.delete("identity")&&this.applyLocks(),e.stage!==void 0&&(e.stage!==t.stage||Number(e.step??0)!==t.step)?this.over("stage"):e.stage!==void 0&&this.release("stage"),this.deadline!==null&&(e.now_ms??0)>=this.deadline?this.over("deadline"):this.reopenIfTimeRemains()}reopenIfTimeRemains(){this.deadline!==null&&this.clock.now()>=this.deadline||this.release("deadline")&&this.log.reopen()}release(e){return this.ending===e&&(this.advance.stop(),this.ending=null),this.locks.delete(e)?(this.applyLocks(),!0):!1}askAgain(){this.log.add("heartbeat",{focused:document.hasFocus()}),this.log.reopen()}refused(e){e==="superseded"&&R.delete(this.key),e==="superseded"||e==="identity"?this.lock(e):(e==="deadline"||e==="stage")&&this.over(e)}timeIsUp(){this.locks.has("deadline")||this.lock("deadline"),!(this.advance.running||Date.now()-this.lastProbe<3e3)&&(this.lastProbe=Date.now(),this.log.add("heartbeat",{focused:document.hasFocus()}),this.log.flush())}lock(e){this.locks.add(e),this.applyLocks()}applyLocks(){let e=this.locks.size>0;this.questions.lock(e),this.button.disabled=e;for(let o of this.others)o.disabled=e;let t=()=>this.veil.show(this.locks);e&&this.locks.has("submitted")?setTimeout(t,$e):t()}showSaving(e,t,o=0){let s=e==="offline"&&!t?"saving_offline_memory":`saving_${e}`;this.pending&&e==="saved"&&Date.now()>=this.pausedUntil&&this.send(),this.saving.dataset.state!==s&&(this.saving.dataset.state=s,this.saving.textContent=this.say(s,{status:o}))}focusFirst(){this.args.data.kind==="interview"&&this.args.data.step>0&&this.questions.focusFirst()}destroy(){this.advance.stop(),this.countdown.destroy();for(let e of this.endings)e();this.ending!==null&&this.log.forgetDrafts(e=>e===y(this.args.data)),this.log.destroy(),this.questions.destroy(),this.element.remove()}};function y(i){return`answers:${i.stage}:${i.step}`}function ve(i){return`${i.page_key} ${y(i)}`}async function Ke(i){let e=R.get(ve(i));if(!e)return null;let{status:t,body:o}=await new k(i.api,i.page_key).get(`/api/answers?stage=${i.stage}&step=${i.step}`);return t!==200||o.page===e.page?e.text:null}async function Ue(i){let e=i.fields.some(o=>o.kind==="code"||o.code||o.prompt_html.includes("<pre>")),t=i.fields.some(o=>o.options.some(s=>s.html.includes("<pre>")));for(;e||t;)try{return await import(new URL(i.code_module,document.baseURI).href)}catch{await new Promise(o=>setTimeout(o,Qe))}return null}var xe=`/* One accent, system fonts, hairlines in place of boxes. Colours follow Streamlit's theme and so its light or dark. */
.stElementContainer:has(.sa-room), [data-testid="stElementContainer"]:has(.sa-room) { opacity: 1 !important; transition: none !important; }
/* The room is the whole window. */
body:has(.sa-room) :is([data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stDecoration"], [data-testid="stStatusWidget"]) { display: none; }

.sa-room, .sa-countdown, .sa-form {
  --bg: var(--st-background-color, #fff);
  --ink: var(--st-text-color, #20252b);
  --accent: var(--st-primary-color, #2c6e6a);
  --on-accent: #fff;
  --soft: color-mix(in srgb, var(--ink) 3.5%, var(--bg));
  --tint: color-mix(in srgb, var(--accent) 9%, var(--bg));
  --line: color-mix(in srgb, var(--ink) 12%, var(--bg));
  --muted: color-mix(in srgb, var(--ink) 66%, var(--bg));
  --accent-ink: color-mix(in srgb, var(--accent) 88%, #000);
  --accent-solid: var(--accent);
  --warm: #9a5b00; --bad: #b3261e; --good: #1f7a45;
  --tok-key: #7a3e9d; --tok-str: #2b7a3d; --tok-num: #a8480b; --tok-fn: #1f5fa8; --tok-note: #6b737c; --tok-type: #8a5a00;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font: 400 14.5px/1.55 var(--sans); color: var(--ink); color-scheme: light;
}
[data-scheme="dark"].sa-room, [data-scheme="dark"].sa-countdown, [data-scheme="dark"].sa-form {
  --soft: color-mix(in srgb, var(--ink) 4%, var(--bg));
  --tint: color-mix(in srgb, var(--accent) 20%, var(--bg));
  --line: color-mix(in srgb, var(--ink) 16%, var(--bg));
  --muted: color-mix(in srgb, var(--ink) 68%, var(--bg));
  --accent-ink: color-mix(in srgb, var(--accent) 55%, #fff);
  --accent-solid: color-mix(in srgb, var(--accent) 85%, #000);
  --warm: #e5b567; --bad: #ff8f86; --good: #7fd1a0;
  --tok-key: #cfa6ee; --tok-str: #97d3a1; --tok-num: #efb184; --tok-fn: #8fbdf2; --tok-note: #949ca6; --tok-type: #e2c17d;
  color-scheme: dark;
}

.sa-room {
  position: fixed; inset: 0; z-index: 90; height: 100dvh; display: flex; flex-direction: column;
  background: var(--bg); overflow: hidden; text-align: start;
}
.sa-room *, .sa-countdown * { box-sizing: border-box; }
.sa-room [hidden], .sa-countdown [hidden] { display: none !important; }
.sa-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.sa-room h1, .sa-room h2, .sa-room h3, .sa-room h4, .sa-room p, .sa-room ul, .sa-room ol, .sa-room pre {
  margin: 0; padding: 0; font-family: var(--sans); color: inherit; letter-spacing: normal; line-height: inherit;
}
.sa-room :is(p, ul, ol, li, td, th, summary) { font-size: inherit; }
.sa-room pre, .sa-room code { font-family: var(--mono); }

/* Buttons */
.sa-room button {
  font: 550 13.5px/1 var(--sans); border-radius: 7px; border: 1px solid transparent; padding: 0 14px; height: 32px;
  cursor: pointer; color: inherit; background: none; white-space: nowrap; flex: none;
  transition: background-color .12s, border-color .12s;
}
.sa-room button:disabled { opacity: .5; cursor: default; }
.sa-room .sa-primary { background: var(--accent-solid); color: var(--on-accent); }
.sa-room .sa-primary:hover:enabled { background: color-mix(in srgb, var(--accent-solid) 88%, #000); }
.sa-room .sa-outline { border-color: var(--accent-ink); color: var(--accent-ink); }
.sa-room .sa-outline:hover:enabled { background: var(--tint); }
.sa-room .sa-plain { border-color: var(--line); background: var(--bg); }
.sa-room .sa-plain:hover:enabled { background: var(--soft); }
.sa-room .sa-quiet { color: var(--muted); font-weight: 450; padding: 0 10px; }
.sa-room .sa-quiet:hover:enabled { color: var(--ink); background: color-mix(in srgb, var(--ink) 6%, transparent); }
.sa-room .sa-link { color: var(--accent-ink); height: auto; padding: 2px 4px; margin: -2px 0; text-decoration: underline; text-underline-offset: 2px; font-weight: 450; }
.sa-room :focus-visible { outline: 2px solid var(--accent-ink); outline-offset: 2px; }
.sa-room .sa-scroll:focus-visible, .sa-room pre:focus-visible { outline-offset: -2px; }

/* Top bar */
.sa-top { display: flex; align-items: center; gap: 18px; height: 54px; flex: none; padding: 0 16px 0 20px; border-bottom: 1px solid var(--line); }
.sa-where { display: flex; align-items: baseline; gap: 12px; min-width: 0; flex: 1; }
.sa-room.sa-room .sa-where h1 { font-size: 16px; font-weight: 620; margin: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.sa-step { color: var(--muted); font-size: 13px; flex: none; }
.sa-part { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; flex: 0 1 auto; }
@media (max-width: 1100px) { .sa-part { display: none; } }
.sa-saving { color: var(--muted); font-size: 12.5px; display: flex; align-items: center; gap: 7px; }
.sa-saving::before { content: ""; width: 6px; height: 6px; border-radius: 50%; background: var(--good); flex: none; }
.sa-saving[data-state="saving_saving"]::before { background: var(--muted); }
.sa-saving:is([data-state^="saving_offline"], [data-state="saving_too_long"], [data-state="saving_turned_away"])::before { background: var(--warm); }
.sa-saving:is([data-state^="saving_offline"], [data-state="saving_too_long"], [data-state="saving_turned_away"]) { color: var(--warm); }
.sa-countdown-fixed { position: fixed; inset-block-start: 12px; inset-inline-end: 20px; z-index: 90; padding: 4px 12px; border-radius: 9px; border: 1px solid var(--line); background: var(--bg); }
.sa-clock { display: inline-flex; align-items: baseline; gap: 8px; font: 400 14.5px/1.5 var(--sans); color: var(--ink); }
.sa-clock-label { color: var(--muted); font-size: 12.5px; }
.sa-clock-value { font-variant-numeric: tabular-nums; font-weight: 620; font-size: 16px; min-width: 3.1em; text-align: end; }
.sa-clock-soon .sa-clock-value { color: var(--warm); }
.sa-clock-last .sa-clock-value { color: var(--bad); }

/* The three panes */
.sa-panes { flex: 1; min-height: 0; display: grid; grid-template-columns: var(--brief-width, minmax(270px, 24fr)) minmax(0, 49fr) var(--side-width, minmax(300px, 27fr)); }
.sa-brief, .sa-middle, .sa-side, .sa-panel, .sa-chat, .sa-output { min-height: 0; min-width: 0; display: flex; flex-direction: column; }
.sa-brief, .sa-side { background: var(--soft); }
.sa-brief { border-inline-end: 1px solid var(--line); }
.sa-side { border-inline-start: 1px solid var(--line); }
.sa-panel, .sa-chat { flex: 1; }
.sa-brief, .sa-side { position: relative; }
.sa-splitter { position: absolute; inset-block: 0; width: 9px; z-index: 6; cursor: col-resize; touch-action: none; }
.sa-splitter-brief { inset-inline-end: -5px; }
.sa-splitter-side { inset-inline-start: -5px; }
.sa-splitter::after { content: ""; position: absolute; inset-block: 0; inset-inline: 4px; transition: background-color .12s; }
.sa-splitter:hover::after, .sa-splitter:active::after { background: var(--accent); inset-inline: 3px; }
.sa-room .sa-splitter:focus-visible { outline-offset: -2px; }
.sa-room section > h2 { font-size: 12.5px; font-weight: 600; color: var(--muted); padding: 0 20px; height: 40px; display: flex; align-items: center; flex: none; }
.sa-room .sa-brief > h2, .sa-room .sa-side > h2, .sa-tabs { border-bottom: 1px solid var(--line); margin-bottom: 12px; }
.sa-room .sa-side > h2, .sa-tabs { margin-bottom: 6px; }
.sa-scroll { flex: 1; min-height: 0; overflow: auto; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: var(--line) transparent; position: relative; }
.sa-tabs { display: flex; gap: 4px; height: 40px; align-items: stretch; padding: 0 12px; flex: none; }
.sa-room .sa-tab { height: auto; margin-bottom: -1px; border-radius: 0; padding: 0 8px; font-size: 12.5px; font-weight: 600; color: var(--muted); border: 0; border-bottom: 2px solid transparent; }
.sa-room .sa-tab[aria-selected="true"] { color: var(--ink); border-bottom-color: var(--accent); }
.sa-room .sa-tab:focus-visible { outline-offset: -3px; border-radius: 6px; }

/* Inline code keeps its spaces, and a chip that breaks over two lines stays whole on both. */
.sa-room code { white-space: break-spaces; -webkit-box-decoration-break: clone; box-decoration-break: clone; }

/* Text of the study */
.sa-prose { padding: 2px 20px 28px; font-size: 14.5px; overflow-wrap: break-word; }
.sa-room .sa-prose > * + * { margin-top: .8em; }
.sa-room.sa-room .sa-prose :is(h1, h2, h3, h4) { font-size: 14.5px; font-weight: 620; line-height: 1.35; margin-top: 1.5em; white-space: normal; padding: 0; height: auto; display: block; color: inherit; }
.sa-room.sa-room .sa-prose :is(h1, h2) { font-size: 15.5px; }
.sa-room.sa-room .sa-prose > :first-child { margin-top: 0; }
.sa-room .sa-prose :is(ul, ol), .sa-room .sa-reply :is(ul, ol) { padding-inline-start: 1.35em; }
.sa-room .sa-prose li + li, .sa-room .sa-reply li + li { margin-top: .3em; }
.sa-room :is(.sa-prose, .sa-reply, .sa-greeting) code { font-size: .885em; background: color-mix(in srgb, var(--ink) 7%, transparent); padding: .12em .34em; border-radius: 4px; color: inherit; }
.sa-room :is(.sa-prose, .sa-reply) pre { font-size: 12.75px; line-height: 1.55; background: var(--bg); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; overflow-x: auto; scrollbar-width: thin; }
.sa-room :is(.sa-prose, .sa-reply) pre code { background: none; padding: 0; font-size: inherit; border-radius: 0; white-space: pre; }
.sa-room .sa-prose a { color: var(--accent-ink); text-underline-offset: 2px; }
.sa-prose { container-type: inline-size; }
.sa-room :is(.sa-prose, .sa-reply) blockquote { margin-inline: 0; margin-bottom: 0; padding-inline-start: 12px; border-inline-start: 3px solid var(--line); color: var(--muted); }
.sa-room :is(.sa-prose, .sa-reply) hr { border: 0; border-top: 1px solid var(--line); margin: 1em 0; }
.sa-room .sa-prose table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
.sa-room .sa-prose :is(td, th) { border: 0; border-bottom: 1px solid var(--line); padding: 5px 8px 5px 0; text-align: start; }
/* Two columns in a narrow pane: the label, and under it what it stands for. */
@container (max-width: 430px) {
  .sa-room .sa-prose table:not(:has(tr > :nth-child(3))) :is(tbody, tr, td) { display: block; }
  .sa-room .sa-prose table:not(:has(tr > :nth-child(3))) { display: block; }
  .sa-room .sa-prose table:not(:has(tr > :nth-child(3))) thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .sa-room .sa-prose table:not(:has(tr > :nth-child(3))) tr { border-bottom: 1px solid var(--line); padding: 6px 0 7px; }
  .sa-room .sa-prose table:not(:has(tr > :nth-child(3))) td { border: 0; padding: 0; }
  .sa-room .sa-prose table:not(:has(tr > :nth-child(3))) td + td { margin-top: 3px; }
  .sa-room .sa-prose table:has(tr > :nth-child(3)) { display: block; overflow-x: auto; }
}
.sa-room .sa-notes details { border-bottom: 1px solid var(--line); margin: 0; }
.sa-room .sa-notes summary { cursor: pointer; padding: 9px 0; font-weight: 550; list-style-position: outside; margin-inline-start: 1.1em; }
.sa-room .sa-notes summary::marker { color: var(--muted); }
.sa-room .sa-notes details[open] { padding-bottom: 14px; }
.sa-room .sa-notes details > * + * { margin-top: .7em; }
.sa-room .sa-notes details > summary + * { margin-top: 2px; }

/* Editor */
.sa-middle { position: relative; }
.sa-tools { display: flex; align-items: center; gap: 2px; height: 40px; flex: none; padding: 0 10px 0 20px; border-bottom: 1px solid var(--line); }
.sa-file { margin-inline-end: auto; color: var(--muted); font: 400 12.5px/1 var(--mono); }
.sa-room .sa-tool { height: 28px; padding: 0 9px; font-size: 12.5px; }
.sa-row-splitter { position: absolute; inset-inline: 0; top: -5px; height: 9px; z-index: 6; cursor: row-resize; touch-action: none; }
.sa-row-splitter::after { content: ""; position: absolute; inset-inline: 0; inset-block: 4px; transition: background-color .12s; }
.sa-row-splitter:hover::after, .sa-row-splitter:active::after { background: var(--accent); inset-block: 3px; }
.sa-room .sa-row-splitter:focus-visible { outline-offset: -2px; }
.sa-room .sa-error-gutter { color: var(--bad); font-weight: 700; position: relative; }
.sa-room .cm-lineNumbers .sa-error-gutter::before { content: "●"; position: absolute; inset-inline-start: 5px; font-size: 9px; }
.sa-room .sa-error-line { background: color-mix(in srgb, var(--bad) 10%, transparent); }
.sa-room .cm-panels { background: var(--soft); color: var(--ink); border-bottom: 1px solid var(--line); font: 400 13px/1.4 var(--sans); }
.sa-room .cm-panel.cm-search { padding: 6px 34px 8px 12px; }
.sa-room .cm-panel.cm-search :is(button, .cm-textfield, label) { font: 400 12.5px/1.2 var(--sans); margin: 2px 4px 2px 0; }
.sa-room .cm-panel.cm-search button { height: 26px; padding: 0 9px; border: 1px solid var(--line); background: var(--bg); background-image: none; }
.sa-room .cm-panel.cm-search .cm-textfield { background: var(--bg); color: var(--ink); border: 1px solid color-mix(in srgb, var(--ink) 45%, var(--bg)); border-radius: 6px; padding: 4px 8px; }
.sa-room .cm-panel.cm-search [name="close"] { border: 0; font-size: 17px; background: none; inset-inline-end: 8px; top: 6px; padding: 0 7px; }
.sa-room .cm-editor :is(.cm-searchMatch, .cm-selectionMatch) { background: color-mix(in srgb, var(--warm) 26%, transparent); }
.sa-room .cm-editor .cm-searchMatch-selected { background: color-mix(in srgb, var(--warm) 50%, transparent); }
.sa-editor { flex: 60 1 0; min-height: 0; position: relative; }
:is(.sa-room, .sa-form) .cm-editor { height: 100%; background: var(--bg); color: var(--ink); font-size: var(--code-size, 14px); }
:is(.sa-room, .sa-form) .cm-editor.cm-focused { outline: none; }
:is(.sa-room, .sa-form) .cm-editor:has(.cm-content:focus-visible)::after { content: ""; position: absolute; inset: 0; border: 2px solid color-mix(in srgb, var(--accent-ink) 55%, transparent); pointer-events: none; z-index: 3; }
:is(.sa-room, .sa-form) .cm-content:focus-visible { outline: none; }
:is(.sa-room, .sa-form) .cm-scroller { font-family: var(--mono); line-height: 1.6; overscroll-behavior: contain; scrollbar-width: thin; scrollbar-color: var(--line) transparent; }
:is(.sa-room, .sa-form) .cm-content { padding: 12px 0 40px; caret-color: var(--ink); }
:is(.sa-room, .sa-form) .cm-line { padding: 0 16px 0 8px; }
:is(.sa-room, .sa-form) .cm-gutters { background: var(--bg); color: var(--muted); border: 0; }
:is(.sa-room, .sa-form) .cm-lineNumbers .cm-gutterElement { padding: 0 10px 0 18px; min-width: 46px; font-size: .9em; line-height: calc(1.6 * var(--code-size, 14px)); }
:is(.sa-room, .sa-form) .cm-activeLine { background: color-mix(in srgb, var(--ink) 3.5%, transparent); }
:is(.sa-room, .sa-form) .cm-activeLineGutter { background: none; color: var(--ink); }
:is(.sa-room, .sa-form) .cm-cursor { border-left-color: var(--ink); border-left-width: 1.6px; }
:is(.sa-room, .sa-form) .cm-editor .cm-selectionBackground, :is(.sa-room, .sa-form) .cm-editor.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground { background: color-mix(in srgb, var(--accent) 24%, transparent); }
:is(.sa-room, .sa-form) .cm-editor .cm-matchingBracket { background: color-mix(in srgb, var(--accent) 20%, transparent); outline: none; }
.tok-keyword, .tok-bool, .tok-operatorKeyword { color: var(--tok-key); }
.tok-string, .tok-string2 { color: var(--tok-str); }
.tok-number { color: var(--tok-num); }
.tok-comment { color: var(--tok-note); font-style: italic; }
.tok-variableName.tok-definition, .tok-propertyName.tok-definition { color: var(--tok-fn); }
.tok-className, .tok-typeName, .tok-meta { color: var(--tok-type); }

/* Run and output */
.sa-runbar { display: flex; align-items: center; gap: 10px; height: 50px; padding: 0 16px 0 20px; border-top: 1px solid var(--line); flex: none; position: relative; }
.sa-hint { color: var(--muted); font-size: 12.5px; white-space: nowrap; }
.sa-run-status { margin-inline-start: auto; color: var(--muted); font-size: 13px; line-height: 1.3; text-align: end; min-width: 0; max-height: 2.6em; overflow: hidden; }
.sa-output { flex: 36 1 0; background: var(--bg); }
.sa-middle[style*="--output-height"] .sa-output { flex: 0 1 var(--output-height); }
.sa-output .sa-tabs { height: 34px; padding: 0 12px; border-top: 1px solid var(--line); }
.sa-room .sa-output .sa-scroll { padding: 2px 20px 16px; }
.sa-tab:is([data-state="pass"], [data-state="fail"])::after { content: ""; display: inline-block; width: 7px; height: 7px; border-radius: 50%; margin-inline-start: 7px; vertical-align: 1px; background: var(--good); }
.sa-tab[data-state="fail"]::after { background: var(--bad); border-radius: 1px; }
.sa-room .sa-lines { font: 400 calc(var(--code-size, 14px) - 1px)/1.55 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; position: static; }
.sa-stderr { color: var(--bad); }
.sa-figures { display: grid; gap: 10px; padding: 0 20px 10px; }
.sa-figures:empty { display: none; }
.sa-figures img { max-width: 100%; height: auto; background: #fff; border-radius: 6px; }
.sa-empty, .sa-room .sa-note { color: var(--muted); font-family: var(--sans); }
.sa-room .sa-lines .sa-note { color: var(--warm); }
.sa-room .sa-checks { list-style: none; padding: 0; }
.sa-room .sa-checks li { display: grid; grid-template-columns: 56px minmax(0, 1fr); gap: 0 12px; padding: 7px 0; border-bottom: 1px solid var(--line); font-size: 13.5px; }
.sa-mark { font-weight: 600; font-size: 12.5px; line-height: 1.7; }
.sa-pass .sa-mark { color: var(--good); } .sa-fail .sa-mark { color: var(--bad); }
.sa-check-message { grid-column: 2; display: grid; gap: 5px; margin-top: 3px; white-space: pre-wrap; overflow-wrap: anywhere; }
.sa-room .sa-call { font-size: 12.75px; color: var(--muted); }
.sa-room .sa-cause { color: var(--bad); font: 400 12.75px/1.5 var(--mono); white-space: pre-wrap; overflow-wrap: anywhere; }
.sa-examples > .sa-cause { padding: 8px 0; border-bottom: 1px solid var(--line); }
.sa-compare { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 2px 12px; margin: 0; font: 400 12.75px/1.55 var(--mono); }
.sa-compare dt { color: var(--muted); font-family: var(--sans); font-size: 12.5px; }
.sa-compare dd { margin: 0; }
.sa-compare-row { min-height: 1.55em; white-space: pre-wrap; overflow-wrap: anywhere; }
.sa-compare mark { background: color-mix(in srgb, var(--warm) 28%, transparent); color: inherit; border-radius: 2px; box-shadow: inset 0 -2px var(--warm); }
.sa-compare mark:empty { padding-inline: .22em; }
.sa-compare .sa-nothing { font-style: italic; color: var(--muted); background: none; }
.sa-note-line { position: absolute; inset-inline: 20px; top: 12px; z-index: 5; pointer-events: none; padding: 8px 12px; border-radius: 8px; background: var(--ink); color: var(--bg); font-size: 13.5px; width: fit-content; max-width: calc(100% - 40px); margin-inline: auto; }
.sa-note-line:empty { display: none; }
.sa-note-card { top: 56px; padding: 14px 20px; font-size: 15px; border-radius: 11px; box-shadow: 0 10px 40px rgb(0 0 0 / .18); }
.sa-time-note { flex: none; padding: 7px 20px; font-size: 14px; font-weight: 550; text-align: center; background: color-mix(in srgb, var(--warm) 16%, var(--bg)); border-bottom: 1px solid var(--warm); }
.sa-countdown-fixed .sa-time-note { max-width: 260px; margin: 4px -12px -4px; padding: 7px 12px; border-radius: 0 0 9px 9px; border: 0; border-top: 1px solid var(--warm); }
.sa-time-note.sa-urgent { background: var(--bad); color: var(--bg); border-color: var(--bad); }

/* Assistant */
.sa-chat .sa-scroll { padding: 4px 20px 16px; }
.sa-room .sa-greeting { color: var(--muted); white-space: pre-wrap; }
.sa-room .sa-turns { list-style: none; display: flex; flex-direction: column; gap: 20px; margin-top: 16px; }
.sa-turns:empty { display: none; }
.sa-turn { display: flex; flex-direction: column; }
.sa-turns > :last-child { min-height: var(--last-turn, 0); }
.sa-foot { display: flex; gap: 6px; margin-top: 4px; margin-inline-start: -9px; }
.sa-room .sa-foot button { height: 28px; font-size: 12.5px; padding: 0 9px; }
.sa-room .sa-foot .sa-plain { margin-inline-start: 9px; }
.sa-asked { align-self: flex-end; max-width: 88%; background: var(--tint); border-radius: 12px 12px 3px 12px; padding: 8px 12px; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 16em; overflow-y: auto; scrollbar-width: thin; }
.sa-from { margin: 14px 0 2px; font-size: 12.5px; font-weight: 600; color: var(--muted); }
.sa-reply { overflow-wrap: anywhere; }
.sa-room .sa-reply > * + * { margin-top: .7em; }
.sa-room.sa-room .sa-reply :is(h4, h5, h6) { font: 620 14.5px/1.4 var(--sans); margin: 0; padding: 0; }
.sa-room.sa-room .sa-reply > * + :is(h4, h5, h6) { margin-top: 1.1em; }
.sa-room .sa-reply li > :is(p, ul, ol, .sa-code, blockquote) + *, .sa-room .sa-reply li > * + :is(p, .sa-code, blockquote) { margin-top: .5em; }
.sa-room .sa-reply li > :is(ul, ol) { margin-top: .3em; }
.sa-room .sa-reply a { color: var(--accent-ink); text-underline-offset: 2px; }
.sa-room .sa-table { overflow-x: auto; scrollbar-width: thin; }
.sa-room .sa-reply table { border-collapse: collapse; font-size: 13.5px; }
.sa-room .sa-reply :is(td, th) { border: 0; border-bottom: 1px solid var(--line); padding: 4px 14px 4px 0; text-align: start; vertical-align: top; overflow-wrap: normal; }
.sa-room .sa-reply th { font-weight: 620; }
.sa-code { border: 1px solid var(--line); border-radius: 9px; background: var(--bg); overflow: hidden; }
.sa-code-language { margin-inline-end: auto; }
.sa-code-bar { display: flex; align-items: center; gap: 2px; padding: 2px 4px 2px 12px; color: var(--muted); font-size: 12px; border-bottom: 1px solid var(--line); user-select: none; }
.sa-room .sa-code .sa-copy { height: 26px; font-size: 12.5px; padding: 0 9px; }
.sa-room .sa-reply .sa-code pre { border: 0; border-radius: 0; }
.sa-room p.sa-note { margin-top: 6px; font-size: 13.5px; }
.sa-room .sa-notice { padding: 6px 20px 0; font-size: 13px; color: var(--muted); }
.sa-room .sa-notice[data-kind="error"] { color: var(--warm); }
.sa-notice:empty { display: none; }
.sa-composer { margin: 10px 14px 14px; border: 1px solid var(--line); border-radius: 11px; background: var(--bg); flex: none; }
.sa-composer:focus-within { border-color: var(--accent-ink); }
.sa-room .sa-composer textarea { display: block; width: 100%; border: 0; background: none; resize: none; padding: 10px 12px 4px; font: 400 14.5px/1.5 var(--sans); color: inherit; outline: none; max-height: 180px; box-shadow: none; }
.sa-composer textarea::placeholder { color: var(--muted); opacity: 1; }
.sa-composer-bar { display: flex; align-items: center; justify-content: flex-end; gap: 10px; padding: 4px 7px 7px 12px; }
.sa-composer-bar .sa-hint { margin-inline-end: auto; overflow: hidden; text-overflow: ellipsis; font-size: 12px; }
.sa-closed .sa-composer { opacity: .6; }

/* Endings and questions */
.sa-veil { position: absolute; inset: 54px 0 0; z-index: 20; display: grid; place-items: center; background: color-mix(in srgb, var(--bg) 72%, transparent); }
.sa-card { background: var(--bg); border: 1px solid var(--line); border-radius: 12px; padding: 22px 26px; max-width: 420px; box-shadow: 0 10px 40px rgb(0 0 0 / .12); display: grid; gap: 16px; justify-items: start; }
.sa-room .sa-dialog { border: 1px solid var(--line); border-radius: 12px; padding: 22px 24px; width: min(520px, 92vw); max-height: 80dvh; background: var(--bg); color: var(--ink); box-shadow: 0 16px 60px rgb(0 0 0 / .22); }
.sa-room .sa-dialog::backdrop { background: rgb(0 0 0 / .35); }
.sa-room .sa-dialog h2 { font-size: 16px; font-weight: 620; margin-bottom: 6px; }
.sa-exit-bar { flex: none; padding: 8px 16px; border-top: 1px solid var(--line); }
.sa-room .sa-exit { width: 100%; white-space: normal; text-align: start; }
.sa-room .sa-reason-label { display: block; font-weight: 600; }
.sa-room .sa-reason { display: block; width: 100%; box-sizing: border-box; margin-top: 6px; padding: 8px 10px; font: inherit; font-weight: 400; color: var(--ink); background: var(--bg); border: 1px solid var(--line); border-radius: 8px; resize: vertical; }
.sa-dialog-bar { display: flex; justify-content: flex-end; gap: 10px; margin: 6px 0 -22px; padding: 14px 0 20px; position: sticky; bottom: -22px; background: var(--bg); }

/* A probe of affect: over the panes, which stay where they are. */
.sa-probe-cover { position: absolute; inset: 54px 0 0; z-index: 19; display: grid; place-items: center; overflow: auto; padding: 12px; background: color-mix(in srgb, var(--bg) 55%, transparent); pointer-events: none; }
.sa-probe { pointer-events: auto; background: var(--bg); border: 1px solid var(--line); border-radius: 12px; padding: 18px 22px; width: min(420px, 100%); box-shadow: 0 10px 40px rgb(0 0 0 / .16); display: grid; gap: 10px; }
.sa-room .sa-probe h2 { font-size: 16px; font-weight: 620; }
.sa-room .sa-probe h2:focus { outline: none; }
.sa-room .sa-probe-stopped, .sa-room .sa-probe-help { font-size: 13px; color: var(--muted); }
.sa-probe-field { display: grid; grid-template: auto auto auto auto / minmax(0, 1fr) minmax(0, 1fr); gap: 3px 8px; font-size: 12.5px; color: var(--muted); }
.sa-probe-top, .sa-probe-bottom, .sa-probe-help { grid-column: 1 / -1; text-align: center; }
.sa-room .sa-probe-help { text-align: start; margin-top: 4px; grid-row: 5; }
.sa-probe-top { grid-row: 1; } .sa-probe-grid { grid-row: 2; grid-column: 1 / -1; }
.sa-probe-left { grid-row: 3; grid-column: 1; text-align: start; } .sa-probe-right { grid-row: 3; grid-column: 2; text-align: end; }
.sa-probe-bottom { grid-row: 4; }
.sa-probe-grid { display: grid; width: min(100%, 288px); margin-inline: auto; aspect-ratio: 1; border: 1px solid color-mix(in srgb, var(--ink) 45%, var(--bg)); border-radius: 6px; overflow: hidden; touch-action: manipulation;
  background: linear-gradient(var(--line), var(--line)) center / 1px 100% no-repeat, linear-gradient(var(--line), var(--line)) center / 100% 1px no-repeat; }
.sa-probe-grid [role="row"] { display: grid; grid-template-columns: repeat(9, 1fr); }
.sa-probe-grid [role="gridcell"] { cursor: pointer; min-height: 24px; position: relative; }
.sa-probe-grid [role="gridcell"]:hover { background: var(--tint); }
.sa-room .sa-probe-grid [role="gridcell"]:focus-visible { outline-offset: -2px; }
.sa-probe-grid [aria-selected="true"]::after { content: ""; position: absolute; inset: 0; margin: auto; width: 16px; height: 16px; border-radius: 50%; background: var(--accent-solid); }
.sa-probe-line { display: flex; align-items: center; gap: 10px; font-size: 13px; }
.sa-probe-line input { flex: 1; min-width: 0; height: 24px; accent-color: var(--accent-solid); }
.sa-probe-line input[data-unset] { opacity: .55; accent-color: var(--muted); }
.sa-probe-bar { display: flex; justify-content: flex-end; gap: 10px; }
.sa-room .sa-probe .sa-warn:empty { display: none; }

@media (max-width: 900px) {
  .sa-probe-cover { position: fixed; inset: 0; z-index: 95; }
  .sa-room { position: relative; height: auto; min-height: 100dvh; overflow: visible; inset: auto; }
  .sa-top { flex-wrap: wrap; height: auto; padding: 10px 16px; gap: 6px 14px; }
  .sa-where { flex-basis: 100%; flex-wrap: wrap; }
  .sa-panes { display: block; }
  .sa-splitter, .sa-row-splitter { display: none; }
  .sa-brief, .sa-side { border: 0; border-block: 1px solid var(--line); }
  .sa-editor { flex: none; height: max(60dvh, 200px); } .sa-side { height: max(80dvh, 320px); }
  .sa-output, .sa-middle[style*="--output-height"] .sa-output { flex: none; min-height: 220px; max-height: max(80dvh, 320px); }
  .sa-veil { position: fixed; inset: 0; }
}
@media (max-height: 620px) { .sa-runbar { height: 40px; } .sa-tools, .sa-room section > h2, .sa-tabs { height: 34px; } .sa-output .sa-tabs { height: 30px; } }
@media (prefers-reduced-motion: reduce) { .sa-room *, .sa-form *, .sa-page *, .sa-countdown * { transition: none !important; animation: none !important; scroll-behavior: auto !important; } }

/* An assistant that acts */
.sa-agent { flex: none; display: flex; flex-direction: column; gap: 6px; padding: 4px 20px 0; max-height: 60%; min-height: 1.6em; }
.sa-agent-clock { min-height: 1.2em; font-size: 0.8em; color: var(--muted); }
.sa-agent-mode { display: flex; gap: 6px; align-items: center; font-size: 0.9em; }
.sa-room .sa-agent-card .sa-hint { font-size: 12px; color: var(--muted); margin-top: 6px; }
/* A long change is scrolled within its box, so that the buttons below it are always in sight. */
.sa-agent-card:not([hidden]) { display: flex; flex-direction: column; }
.sa-agent-card > * { flex: none; }
.sa-agent-card { min-height: 0; overflow: auto; padding: 10px 12px; border: 1px solid var(--line); border-left: 3px solid var(--accent); border-radius: 8px; }
.sa-agent-card h3 { margin: 0 0 6px; font-size: 1em; }
.sa-agent-bar { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0; }
.sa-agent-why, .sa-agent-card textarea { box-sizing: border-box; width: 100%; font: inherit; padding: 5px 7px; color: inherit; background: transparent; border: 1px solid var(--line); border-radius: 6px; }
.sa-agent-edit { font-family: var(--mono) !important; white-space: pre; }
.sa-agent-card .sa-diff { flex: 0 1 auto; min-height: 5em; }
.sa-diff { margin: 0; max-height: 32vh; overflow: auto; font-size: 0.85em; line-height: 1.45; border-radius: 6px; }
.sa-diff span { display: block; white-space: pre; }
.sa-diff .sa-sign { display: inline; user-select: none; }
.sa-added { background: rgb(46 160 67 / 18%); }
.sa-removed { background: rgb(218 54 51 / 16%); }
.sa-room .sa-steps { margin: 6px 0 0; padding-left: 1.4em; font-size: 0.9em; }
.sa-step-state { margin-left: 0.6em; color: var(--muted); }
`;var P=new WeakMap;function Ge(i){let e=i.parentElement,t=P.get(e)??Je(i);return t.latest=i,t.sheet?.shows(i.data)?t.sheet.attend(i):ye(t),()=>{setTimeout(()=>{t.host.isConnected||P.get(e)!==t||(P.delete(e),t.sheet?.destroy())},0)}}function Je(i){let e=a("div",{},a("style",{},xe),a("style",{},J));i.parentElement.append(e);for(let o of["keydown","keyup","keypress"])e.addEventListener(o,s=>s.stopPropagation());let t={latest:i,host:e,sheet:null,opening:!1};return P.set(i.parentElement,t),t}async function ye(i){if(i.opening)return;i.opening=!0,i.sheet?.destroy(),i.sheet=null;let e=await I.open(i.latest);if(i.opening=!1,!i.host.isConnected)return e.destroy();i.sheet=e,i.host.append(e.element),e.focusFirst(),e.shows(i.latest.data)?e.attend(i.latest):ye(i)}export{Ge as default};
