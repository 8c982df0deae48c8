/* study-app; the licences of bundled packages are in LICENSES.txt */
var n;function r({data:t,parentElement:o}){if(t.screen!==n){n=t.screen;for(let e=o.parentElement;e;e=e.parentElement)e.scrollTop=0}}export{r as default};
