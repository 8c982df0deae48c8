/* study-app; the licences of bundled packages are in LICENSES.txt */
var m=class{constructor(e){this.send=e}send;timer;n=0;get running(){return this.timer!==void 0}start(e){if(this.running)return;let t=()=>this.send({...e,n:++this.n});this.timer=window.setInterval(t,3e3),setTimeout(t,50)}stop(){clearInterval(this.timer),this.timer=void 0}};var w={status:0,body:{}},u=class{constructor(e,t){this.prefix=e;this.headers=t?{"study-participant":t}:{}}prefix;headers;stream(e,t,o){return fetch(this.prefix+e,{method:"POST",credentials:"same-origin",headers:{...this.headers,"content-type":"application/json"},body:JSON.stringify(t),signal:o??null})}async post(e,t,o=15e3){let r=new AbortController,a=setTimeout(()=>r.abort(),o);try{return await _(await this.stream(e,t,r.signal))}catch{return w}finally{clearTimeout(a)}}async get(e){try{let t={credentials:"same-origin",cache:"no-store",headers:this.headers};return await _(await fetch(this.prefix+e,t))}catch{return w}}farewell(e,t){fetch(this.prefix+e,{method:"POST",credentials:"same-origin",headers:{...this.headers,"content-type":"application/json"},body:t,keepalive:!0}).catch(()=>{})}};async function _(n){let{status:e}=n;try{let t=await n.json();return typeof t!="object"||t===null||e>=500?{status:0,body:t??{}}:{status:e,body:t}}catch{return e===413?{status:e,body:{}}:{...w,refused:e}}}function A(n){return(e,t={})=>(n()[e]??`[${e}]`).replace(/\{(\w+)\}/g,(o,r)=>String(t[r]??o))}function T(n){let e=Math.max(0,Math.ceil(n)),[t,o,r]=[Math.floor(e/3600),Math.floor(e%3600/60),e%60],a=String(r).padStart(2,"0");return t?`${t}:${String(o).padStart(2,"0")}:${a}`:`${o}:${a}`}function d(n,e={},...t){let o=document.createElement(n);for(let[r,a]of Object.entries(e))a==null||a===!1||(typeof a=="function"?o.addEventListener(r.slice(2),a):o.setAttribute(r,a===!0?"":String(a)));for(let r of t)r&&o.append(r);return o}var h=class{element=d("div",{class:"sa-hidden","aria-live":"polite"});say(e){this.element.textContent="",setTimeout(()=>this.element.textContent=e,60)}};function z(n){let e=d("span",{style:"display:none;color:var(--st-background-color)"});n.append(e);let t=getComputedStyle(n).getPropertyValue("--st-background-color").trim(),[o,r,a]=(getComputedStyle(e).color.match(/[\d.]+/g)??[]).map(Number);return e.remove(),!t||o===void 0||r===void 0||a===void 0?matchMedia("(prefers-color-scheme: dark)").matches:.299*o+.587*r+.114*a<128}var g=class{offset=0;roundTrip=1/0;drawnAt=null;drawn(e){e!==this.drawnAt&&(this.drawnAt=e,this.sync(e))}sync(e,t=1e3){let o=e+t/2-Date.now();t>this.roundTrip&&Math.abs(o-this.offset)<2e3||(this.offset=o,this.roundTrip=t)}now(){return Date.now()+this.offset}},B=[{seconds:300,key:"five_minutes_left",urgent:!1},{seconds:60,key:"one_minute_left",urgent:!0}],H=/^\d+(?::\d\d)+ – /,f=class{constructor(e,t,o,r,a=""){this.clock=t;this.deadline=o;this.on=r;this.element=d("div",{class:"sa-clock",role:"timer","aria-label":e("time_left"),"aria-live":"off"}),this.scope.textContent=a,this.element.append(d("span",{class:"sa-clock-label"},e("time_left")," ",this.scope),this.value),this.warning=({key:s,urgent:i})=>this.on.warn(e(s),i),this.timer=window.setInterval(()=>this.tick(),250),document.addEventListener("visibilitychange",this.tick),this.tick()}clock;deadline;on;value=d("span",{class:"sa-clock-value"});scope=d("span");element;timer;last=1/0;warning;showScope(e){this.scope.textContent=e}tick=()=>{let e=this.deadline();if(this.element.hidden=e===null,e===null)return this.title("");let t=(e-this.clock.now())/1e3,o=T(t);this.value.textContent!==o&&(this.value.textContent=o),this.title(o),this.element.classList.toggle("sa-clock-soon",t<=300),this.element.classList.toggle("sa-clock-last",t<=60);for(let r of B)t<=r.seconds&&t>r.seconds-30&&this.last>r.seconds&&this.warning(r);this.last=t,t<=0&&this.on.zero()};title(e){let t=document.title.replace(H,""),o=e?`${e} – ${t}`:t;document.title!==o&&(document.title=o)}destroy(){clearInterval(this.timer),this.title(""),document.removeEventListener("visibilitychange",this.tick)}};var q=[0,401,429],D="event_refused";function y([n,e]){return{page:n,events:e,most:1/0}}var x=class{constructor(e,t,o){this.api=e;this.store=t;this.hooks=o}api;store;hooks;batchBytes=4e5;async sendAll(e){for(;e.length;){let t=e[0];for(;t.events.length;){let o=t.events.length,r=await this.send(t,!1);if(r==="retry")return!1;if(r!=="again"&&t.events.length===o)break}t.events.length||this.store.forgetDrafts(o=>o.page===t.page),e.shift()}return!0}async send(e,t){let o=k(e.events.slice(0,e.most),this.batchBytes),r=performance.now(),a=await this.api.post("/api/events",{page:e.page,events:o}),s=a.body.ack;return typeof s=="number"&&a.status!==0&&this.drop(e,s),a.status===400||a.status===413?this.unacceptable(a,e,o,t):a.status!==200?this.failed(a,e,t):!t&&typeof s=="number"&&s<o[0].seq?"refused":typeof s!="number"||s<o[0].seq?this.failed({status:0,body:{}},e,t):(e.most=1/0,this.hooks.answered(e,a,performance.now()-r),"done")}unacceptable(e,t,o,r){if(e.status===413&&(this.batchBytes=Math.max(2e4,this.batchBytes/2)),o.length>1)return t.most=Math.floor(o.length/2),"again";let a=t.events.findIndex(I=>I.seq===o[0].seq),s=t.events[a];if(!s||s.event.kind===D)return r?this.failed(e,t,r):"refused";let{kind:i,payload:l}=s.event,c={refused:i,why:String(e.body.error??e.status).slice(0,300)};(i==="load"||i==="edit")&&typeof l.task=="string"&&(c.task=l.task);let E={...s,event:{...s.event,kind:D,payload:c}};return t.events[a]=E,this.store.put(E,null),this.hooks.noted(t,s.event),"again"}failed(e,t,o){return!o&&e.status!==409&&!q.includes(e.status)?"refused":this.hooks.failed(t,e)}drop(e,t){let o=e.events.filter(r=>r.seq<=t);o.length&&(e.events=e.events.filter(r=>r.seq>t),this.hooks.dropped(e,o,t))}};function k(n,e,t=!1){let o=[],r=0;for(let{event:a}of n){if(r+=new Blob([JSON.stringify(a)]).size+1,r>e&&(t||o.length))break;o.push(a)}return o}var j="study-app";var v=class n{constructor(e,t){this.database=e;this.owner=t;this.durable=e!==null}database;owner;puts=[];draft=null;scheduled=!1;durable=!0;static async open(e){let t=await Promise.race([Q(),new Promise(o=>setTimeout(o,3e3,null))]);return new n(t,e)}put(e,t){this.durable&&(this.puts.push(e),t&&(this.draft=t),!this.scheduled&&(this.scheduled=!0,setTimeout(()=>this.write(),0)))}write(){this.scheduled=!1;let[e,t]=[this.puts,this.draft];!e.length||!this.durable||(this.puts=[],this.draft=null,this.change((o,r)=>{for(let a of e)o.put(a);t&&r.put({...t(),at:Date.now()})}))}keep(e,t){this.change((o,r)=>{t?r.put({owner:this.owner,task:e,page:"",text:t,base:null,at:Date.now()}):r.delete([this.owner,e])})}forgetDrafts(e){this.draft&&e(this.draft())&&(this.draft=null),this.change((t,o)=>{o.openCursor().onsuccess=({target:r})=>{let a=r.result;if(!a)return;let s=a.value;s.owner===this.owner&&e(s)&&a.delete(),a.continue()}})}forgetOwner(){this.forgetDrafts(()=>!0),this.change(e=>{e.openCursor().onsuccess=({target:t})=>{let o=t.result;o&&(o.value.owner===this.owner&&o.delete(),o.continue())}})}acknowledged(e,t,o){this.write(),this.change((r,a)=>{r.delete(IDBKeyRange.bound([e,0],[e,t])),o&&a.put({...o(),at:Date.now()})})}async leftovers(){let e=await this.all("events"),t=new Map;e.sort((o,r)=>o.event.client_time_ms-r.event.client_time_ms||o.seq-r.seq);for(let o of e)L(o.event.client_time_ms,12096e5)?this.forget(o):o.owner===this.owner&&t.set(o.page,[...t.get(o.page)??[],o]);for(let o of t.values())o.sort((r,a)=>r.seq-a.seq);return t}async drafts(){let e=new Map;for(let t of await this.all("drafts")){t.at===void 0&&this.change((r,a)=>a.put({...t,at:Date.now()}));let o=t.owner===this.owner?12096e5:864e5;L(t.at??Date.now(),o)?this.change((r,a)=>a.delete([t.owner,t.task])):t.owner===this.owner&&e.set(t.task,t)}return e}forget(e){this.change(t=>t.delete([e.page,e.seq]))}change(e){if(this.database)try{let t=this.database.transaction(["events","drafts"],"readwrite",{durability:"relaxed"});t.onabort=t.onerror=()=>this.durable=!1,e(t.objectStore("events"),t.objectStore("drafts"))}catch{this.durable=!1}}all(e){let t=this.database;return t?new Promise(o=>{let r=t.transaction(e).objectStore(e).getAll();r.onsuccess=()=>o(r.result),r.onerror=()=>o([])}):Promise.resolve([])}close(){this.write(),this.database?.close()}};function Q(){return new Promise(n=>{try{let e=indexedDB.open(j,1);e.onupgradeneeded=()=>{e.result.createObjectStore("events",{keyPath:["page","seq"]}),e.result.createObjectStore("drafts",{keyPath:["owner","task"]})},e.onsuccess=()=>n(e.result),e.onerror=e.onblocked=()=>n(null)}catch{n(null)}})}function M(n){let e=2166136261;for(let t=0;t<n.length;t++)e=Math.imul(e^n.charCodeAt(t),16777619);return`${n.length}:${(e>>>0).toString(16)}`}function L(n,e){return Date.now()-n>e}var O=2e3,C=200,F=6e4,P=[1e3,2e3,3e3],K=5e3,W=3,V=3,b=class{constructor(e,t,o,r,a){this.api=e;this.store=t;this.clock=o;this.owner=r;this.listener=a;this.outbox=new x(e,t,{answered:(s,i,l)=>this.answered(s,i,l),dropped:(s,i,l)=>this.dropped(s,i,l),noted:(s,i)=>this.noted(s,i),failed:(s,i)=>this.failed(i,s)}),window.addEventListener("pagehide",this.farewell),window.addEventListener("online",this.retryNow),document.addEventListener("visibilitychange",this.retryNow)}api;store;clock;owner;listener;page=G();seq=0;own=y([this.page,[]]);outbox;leftovers=[];needed=()=>!0;heldUp=0;sending=!1;failures=0;timer;opened=!1;toldOfDisk=!1;refusal=null;turnedAway={status:0,times:0};ackedHash=null;tooMuch=1/0;behind=!1;document=null;adopt(e,t=()=>!0){this.leftovers=[...e].map(y),this.needed=t}start(){this.flush()}add(e,t,o){if(this.refusal==="superseded")return;let r={seq:++this.seq,kind:e,client_time_ms:Date.now(),mono_ms:Math.round(performance.now()*10)/10,payload:t},a=o===void 0?null:M(o),s={owner:this.owner,page:this.page,seq:r.seq,event:r,hash:a};this.own.events.push(s),this.store.put(s,a===null?null:this.draft),this.own.events.length%C===0?this.flush():this.schedule(O),this.report(),this.behind&&!this.isTooLong()&&this.reload()}get last(){return this.seq}draft=()=>({owner:this.owner,task:this.document?.task??"",page:this.page,text:this.document?.text()??"",base:this.ackedHash});async settle(e){let t=Date.now()+e,o=this.seq;for(;Date.now()<t&&!this.refusal;){if((this.own.events[0]?.seq??1/0)>o||(await this.flush(),(this.own.events[0]?.seq??1/0)>o))return!0;await new Promise(r=>setTimeout(r,150))}return!1}forgetDrafts(e){[this.own,...this.leftovers].some(({events:o})=>o.some(({hash:r})=>r!==null))||this.store.forgetDrafts(({task:o})=>e(o))}reopen(){this.refusal!=="superseded"&&(this.refusal=null,this.flush())}async flush(){if(!(this.sending||this.refusal)){this.sending=!0,clearTimeout(this.timer),this.timer=void 0;try{await this.sendEverything()}finally{this.sending=!1}this.own.events.length&&!this.refusal&&this.schedule(this.failures?this.backoff():O),this.report()}}async sendEverything(){let e=await this.outbox.sendAll(this.leftovers);if(!e&&++this.heldUp<W)return;let t=this.opened;if(await this.open())for(t||await this.forgetWhatIsOver(),e||(this.leftovers=[]);this.own.events.length&&!this.refusal;){let o=await this.outbox.send(this.own,!0);if(o!=="again"&&(o!=="done"||this.own.events.length<C))return}}async forgetWhatIsOver(){let e=await this.store.leftovers();this.store.forgetDrafts(({task:t,page:o})=>o!==this.page&&!this.needed(t)&&!e.has(o))}async open(){if(this.opened)return!0;let e=performance.now(),t=await this.api.post("/api/open",{page:this.page,mono_ms:Math.round(e*10)/10});return t.status!==200?this.failed(t,this.own)==="done":(this.opened=!0,this.heard(t.body,performance.now()-e),!0)}answered(e,{body:t},o){this.failures=this.turnedAway.times=0,this.heard(t,o),e===this.own&&t.load_again===!0&&this.reload()}noted(e,{kind:t,payload:o}){let r=e===this.own;t==="load"&&(this.tooMuch=Math.min(this.tooMuch,String(o.text??"").length)),r&&t==="answer_load"&&(this.tooMuch=Math.min(this.tooMuch,this.length)),r&&(t==="load"||t==="edit"||t.startsWith("answer_"))&&this.reload()}reload(){this.behind=this.isTooLong(),this.behind||this.listener.reload()}isTooLong(){return this.length>=this.tooMuch}get length(){return this.document?.text().length??0}failed(e,t){return e.status===409?(t===this.own&&this.refuse(String(e.body.reason??"stage"),e.body),"refused"):(this.countRefusal(e.refused??e.status),e.status===401&&this.listener.refused("identity"),this.failures+=1,"retry")}countRefusal(e){let t=e>=400&&e<500&&e!==401&&e!==429;this.turnedAway=t?{status:e,times:this.turnedAway.times+1}:{status:0,times:0}}refuse(e,t){let o=this.refusal===null;this.refusal=e,clearTimeout(this.timer),this.timer=void 0,this.heard(t,1e3),o&&(this.listener.refused(e),this.drain(),e==="superseded"&&setTimeout(()=>{this.drain()},5e3))}async drain(){for(let e=!0;e&&this.own.events.length;){let t=this.own.events.length;e=await this.outbox.send(this.own,!0)==="again"||this.own.events.length<t}}dropped(e,t,o){let r=e===this.own,a=t.flatMap(s=>s.hash??[]);r&&a.length&&(this.ackedHash=a[a.length-1]),this.store.acknowledged(e.page,o,r&&a.length&&this.document?this.draft:null)}heard(e,t){typeof e.now_ms=="number"&&this.clock.sync(e.now_ms,t),this.listener.server(e)}schedule(e){this.sending||this.refusal||this.timer!==void 0||(this.timer=window.setTimeout(()=>{this.timer=void 0,this.flush()},e))}backoff(){return P[Math.min(this.failures,P.length)-1]*(.8+.4*Math.random())}retryNow=()=>{this.failures=0,this.flush()};farewell=()=>{if(this.store.write(),this.refusal||!this.opened||!this.own.events.length)return;let e=k(this.own.events,F-200,!0);e.length&&this.api.farewell("/api/events",JSON.stringify({page:this.page,events:e}))};report(){!this.store.durable&&!this.toldOfDisk&&(this.toldOfDisk=!0,this.add("storage_full",{}));let e=this.own.events[0],t=e!==void 0&&Date.now()-e.event.client_time_ms>K;this.listener.saving(this.state(t),this.store.durable,this.turnedAway.status)}state(e){return this.failures?this.turnedAway.times<V?"offline":"turned_away":e?"saving":this.behind?"too_long":"saved"}destroy(){this.farewell(),this.refusal??="closed",clearTimeout(this.timer),window.removeEventListener("pagehide",this.farewell),window.removeEventListener("online",this.retryNow),document.removeEventListener("visibilitychange",this.retryNow),this.store.close()}};function G(){let n=crypto.getRandomValues(new Uint8Array(16));return Array.from(n,e=>e.toString(16).padStart(2,"0")).join("")}function R(n){let e=()=>({w:window.innerWidth,h:window.innerHeight}),t=0,o=[[window,"focus",()=>n.add("focus",{})],[window,"blur",()=>n.add("blur",{})],[window,"online",()=>n.add("online",{})],[window,"offline",()=>n.add("offline",{})],[document,"visibilitychange",()=>n.add(document.hidden?"hidden":"visible",{})],[window,"resize",()=>{clearTimeout(t),t=window.setTimeout(()=>n.add("resize",e()),500)}]];for(let[a,s,i]of o)a.addEventListener(s,i);n.add("resize",e()),n.add(document.hidden?"hidden":"visible",{}),n.add(document.hasFocus()?"focus":"blur",{});let r=window.setInterval(()=>{document.hidden||n.add("heartbeat",{focused:document.hasFocus()})},1e4);return()=>{clearInterval(r),clearTimeout(t);for(let[a,s,i]of o)a.removeEventListener(s,i)}}var N=`/* One accent, system fonts, hairlines in place of boxes. Colours follow Streamlit's theme and so its light or dark. */
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
`;var U=2e4,S=class{constructor(e){this.args=e;let t=new h;this.countdown=new f(A(()=>this.args.data.texts),this.clock,()=>this.deadline,{zero:()=>this.deadline!==null&&this.expired.start({deadline_ms:this.deadline}),warn:(o,r)=>{t.say(o),this.note.textContent=o,this.note.hidden=!1,this.note.classList.toggle("sa-urgent",r)}}),this.host.append(d("style",{},N),this.countdown.element,this.note,t.element),e.data.record&&this.record(e.data.record)}args;host=d("div",{class:"sa-countdown"});note=d("div",{class:"sa-time-note",hidden:!0});clock=new g;expired=new m(e=>this.args.setTriggerValue("expired",e));countdown;endings=[];deadline=null;attend(e){this.args=e,this.host.classList.toggle("sa-countdown-fixed",e.data.fixed===!0&&e.data.deadline_ms!==null),this.host.dataset.scheme=z(this.host)?"dark":"light",e.data.deadline_ms!==this.deadline&&(this.expired.stop(),this.note.hidden=!0),this.deadline=e.data.deadline_ms,this.clock.drawn(e.data.now_ms),this.countdown.tick()}async record(e){let t=await v.open(e.page_key),o=new b(new u(e.api,e.page_key),t,this.clock,e.page_key,{saving:()=>{},server:s=>this.heard(s.deadline_ms),refused:()=>{},reload:()=>{}});o.adopt(await t.leftovers());let r=s=>{let i=s.type==="paste",l=i?s.clipboardData?.getData("text/plain")??"":String(document.getSelection()??""),c={text:l.slice(0,U),length:l.length,from:"outside",target:"answer"};o.add(i?"paste_attempt":s.type,c)},a=["copy","cut","paste"];for(let s of a)document.addEventListener(s,r,!0);this.endings.push(R(o),()=>o.destroy(),()=>{for(let s of a)document.removeEventListener(s,r,!0)}),o.start()}heard(e){e!==void 0&&e!==this.deadline&&(this.deadline=e,this.expired.stop())}destroy(){this.expired.stop(),this.countdown.destroy();for(let e of this.endings)e()}},p=new WeakMap;function J(n){let e=n.parentElement,t=p.get(e)??new S(n);return p.has(e)||(p.set(e,t),e.append(t.host)),t.attend(n),()=>{setTimeout(()=>{t.host.isConnected||p.get(e)!==t||(p.delete(e),t.destroy())},0)}}export{J as default};
