// What a page needs for code, apart from the page itself: it is fetched for pages that show or ask for code only.
export { Editor } from "./editor";
export { highlightBlocks, highlighted } from "./highlight";
export { phrasesOf } from "./tools";
