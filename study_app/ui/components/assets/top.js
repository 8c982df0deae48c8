/* study-app; the licences of bundled packages are in LICENSES.txt */
function i(o,e={},...r){let n=document.createElement(o);for(let[t,a]of Object.entries(e))a==null||a===!1||(typeof a=="function"?n.addEventListener(t.slice(2),a):n.setAttribute(t,a===!0?"":String(a)));for(let t of r)t&&n.append(t);return n}function c(o){let e=i("span",{style:"display:none;color:var(--st-background-color)"});o.append(e);let r=getComputedStyle(o).getPropertyValue("--st-background-color").trim(),[n,t,a]=(getComputedStyle(e).color.match(/[\d.]+/g)??[]).map(Number);return e.remove(),!r||n===void 0||t===void 0||a===void 0?matchMedia("(prefers-color-scheme: dark)").matches:.299*n+.587*t+.114*a<128}var d=`/* Buttons, dialogs and notices of pages without workspace. Colours follow Streamlit's theme and so its light or dark. */
.sa-page, .sa-connection, .sa-leave-dialog {
  --bg: var(--st-background-color, #fff);
  --ink: var(--st-text-color, #1f2328);
  --accent: var(--st-primary-color, #2563c9);
  --line: color-mix(in srgb, var(--ink) 22%, var(--bg));
  --soft: color-mix(in srgb, var(--ink) 5%, var(--bg));
  --muted: color-mix(in srgb, var(--ink) 72%, var(--bg));
  --warm: #8a5200;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font: 400 1rem/1.6 var(--sans); color: var(--ink);
}
[data-scheme="dark"]:is(.sa-page, .sa-connection, .sa-leave-dialog) { --warm: #e5b567; }
.sa-page *, .sa-leave-dialog * { box-sizing: border-box; }
.sa-page [hidden] { display: none !important; }
.sa-page p, .sa-leave-dialog p, .sa-connection { margin: 0; font-size: 1rem; line-height: 1.6; }
.sa-page button, .sa-leave-dialog button, .sa-page a.sa-act {
  font: 600 1rem/1.2 var(--sans); min-height: 44px; padding: 0 22px; border-radius: 8px; cursor: pointer; color: var(--ink);
  background: var(--bg); border: 1px solid var(--line); display: inline-flex; align-items: center; text-decoration: none;
}
.sa-page button:hover, .sa-leave-dialog button:hover { background: var(--soft); }
.sa-page .sa-first, .sa-leave-dialog .sa-first { background: var(--accent); border-color: var(--accent); color: #fff; }
.sa-page .sa-first:hover, .sa-leave-dialog .sa-first:hover { background: color-mix(in srgb, var(--accent) 86%, #000); }
.sa-page :focus-visible, .sa-leave-dialog :focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 70%, var(--ink)); outline-offset: 2px; }
.sa-page button[aria-disabled="true"] { opacity: .6; cursor: default; }
:is(.sa-page, .sa-leave-dialog) .sa-row { display: flex; flex-wrap: wrap; gap: 12px; align-items: center; }
.sa-page.sa-pinned .sa-row { padding: 14px 0; background: var(--bg); border-top: 1px solid var(--line); }
.sa-page .sa-say { color: var(--warm); font-weight: 500; }
.sa-page .sa-say:not(:empty) { margin-top: 10px; }
:is(.sa-page, .sa-leave-dialog) .sa-tick { display: flex; gap: 12px; align-items: flex-start; padding: 12px 14px; margin-bottom: 18px; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
:is(.sa-page, .sa-leave-dialog) .sa-tick input { width: 20px; height: 20px; margin: 3px 0 0; flex: none; accent-color: var(--accent); }
:is(.sa-page, .sa-leave-dialog) .sa-tick:has(:user-invalid), :is(.sa-page, .sa-leave-dialog) .sa-tick[data-missing] { border-color: var(--warm); box-shadow: 0 0 0 1px var(--warm); }
.sa-page .sa-foot { margin-top: 34px; padding-top: 14px; border-top: 1px solid var(--line); }
.sa-page .sa-foot button { font-weight: 450; min-height: 40px; padding: 0 6px; border-color: transparent; background: none; color: var(--muted); text-decoration: underline; text-underline-offset: 3px; }
.sa-page .sa-copy { margin: 6px 0 18px; }
.sa-page .sa-copy .sa-row { gap: 14px; margin: 6px 0; }
.sa-page .sa-copy .code-box { font: 600 1.4rem/1.3 var(--mono); letter-spacing: .05em; border: 1px solid var(--line); border-radius: 8px; padding: 10px 18px; user-select: all; overflow-wrap: anywhere; }
.sa-page .sa-copy .code-box.sa-long { font: 400 1rem/1.5 var(--mono); letter-spacing: 0; }
.sa-page .sa-copy b { display: block; }
.sa-leave-dialog { border: 1px solid var(--line); border-radius: 12px; padding: 26px 28px 22px; width: min(34rem, calc(100vw - 32px)); background: var(--bg); }
.sa-leave-dialog::backdrop { background: rgba(15, 18, 23, .5); }
.sa-leave-dialog h2 { font: 650 1.3rem/1.3 var(--sans); margin: 0 0 12px; padding: 0; color: inherit; }
.sa-leave-dialog p { margin: 0 0 12px; }
.sa-leave-dialog .sa-tick { margin: 16px 0 0; }
.sa-leave-dialog .sa-row { justify-content: flex-end; margin-top: 22px; }
.sa-connection { position: fixed; inset-inline: 0; inset-block-start: 0; z-index: 85; padding: 10px 20px; text-align: center; background: color-mix(in srgb, var(--warm) 16%, var(--bg)); border-bottom: 1px solid var(--warm); }
.sa-connection:empty { display: none; }
`;var u=1500,f=500,b=".sa-room, .sa-form",s=class{bar=i("div",{class:"sa-connection",role:"status"});since=null;text="";constructor(){document.body.append(i("style",{},d),this.bar),window.setInterval(()=>this.look(),f);for(let e of["online","offline"])window.addEventListener(e,()=>this.look())}look(){let e=document.querySelector("[data-test-connection-state]")?.getAttribute("data-test-connection-state");!navigator.onLine||e!=null&&e!=="CONNECTED"?this.since??=performance.now():this.since=null;let t=this.since!==null&&performance.now()-this.since>u&&!document.querySelector(b)?this.text:"";this.bar.textContent!==t&&(this.bar.dataset.scheme=c(this.bar)?"dark":"light",this.bar.textContent=t)}};var v="[data-testid='stSkipToContent']",x=100,h=5e3,p,g,l;function y({data:o,parentElement:e}){g??=new s,g.text=o.connection_lost;let r=document.querySelector(v);if(r&&r.textContent!==o.skip&&(r.textContent=o.skip),o.screen===p)return;p=o.screen;for(let a=e.parentElement;a;a=a.parentElement)a.scrollTop=0;if(clearInterval(l),!o.followed)return;let n=`.page-head h1[data-screen="${CSS.escape(o.screen)}"], .sa-room h1`,t=performance.now()+h;l=window.setInterval(()=>(w(n)||performance.now()>t)&&clearInterval(l),x)}function w(o){let e=document.querySelector(o);return!e||document.activeElement&&document.activeElement!==document.body?!1:(e.tabIndex=-1,e.focus({preventScroll:!0}),!0)}export{y as default};
