"""What a page keeps on this computer's disk, and what a test puts there."""

KEPT = """table => new Promise(done => {
    const request = indexedDB.open("study-app", 1);
    request.onsuccess = () => {
        const rows = request.result.transaction(table).objectStore(table).getAll();
        rows.onsuccess = () => {
            request.result.close();
            done(rows.result.map(row => [row.owner, row.task ?? row.page]));
        };
    };
})"""
PUT = """({owner, at, task = "x", page = "p"}) => new Promise(done => {
    const request = indexedDB.open("study-app", 1);
    request.onsuccess = () => {
        const change = request.result.transaction(["events", "drafts"], "readwrite");
        change.objectStore("drafts").put({owner, task, page, text: "words", base: null, at});
        const event = {seq: 1, kind: "focus", client_time_ms: at, mono_ms: 1, payload: {}};
        change.objectStore("events").put({owner, page: "of " + owner, seq: 1, event, hash: null});
        change.oncomplete = () => { request.result.close(); done(); };
    };
})"""
