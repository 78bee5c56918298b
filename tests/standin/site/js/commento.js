// The widget of the stand-in: lists a page's comments and posts anonymous ones.
(function () {
    "use strict";

    const origin = "[[[.Origin]]]";
    const cdn = "[[[.CdnPrefix]]]";
    const domain = window.location.host;
    const path = window.location.pathname;
    const secondsToReconnect = 5;

    let root = null;
    let list = null;
    let trouble = null;
    let anonymousAllowed = false;

    function element(name, properties, ...children) {
        const made = Object.assign(document.createElement(name), properties);
        made.append(...children);
        return made;
    }

    function token() {
        const cookie = document.cookie.split("; ").find((pair) => pair.startsWith("commentoCommenterToken="));
        return cookie ? cookie.split("=")[1] : "anonymous";
    }

    // Called urlencoded although it is JSON: a JSON content type would need a preflight, which is refused.
    async function post(call, body) {
        const answer = await fetch(origin + "/api/" + call, {
            method: "POST",
            headers: { "Content-Type": "application/x-www-form-urlencoded" },
            body: JSON.stringify(body),
        });
        const fields = JSON.parse(await answer.text());
        if (!fields.success) {
            throw new Error(fields.message);
        }
        return fields;
    }

    function say(message) {
        trouble.textContent = message;
    }

    function card(comment, answer) {
        const author = answer.commenters[comment.commenterHex];
        // The server has made harmless HTML of what the reader typed.
        const text = element("div", { id: "commento-comment-text-" + comment.commentHex, innerHTML: comment.html });
        const replies = answer.comments.filter((reply) => reply.parentHex === comment.commentHex);
        return element(
            "div",
            { id: "commento-comment-card-" + comment.commentHex, className: "commento-card" },
            element("div", { className: "commento-name", textContent: author ? author.name : "Anonymous" }),
            text,
            ...replies.map((reply) => card(reply, answer)),
        );
    }

    function show(answer) {
        anonymousAllowed = !answer.requireIdentification;
        document.getElementById("commento-anonymous-checkbox-root").disabled = !anonymousAllowed;
        const first = answer.comments.filter((comment) => comment.parentHex === "root");
        list.replaceChildren(...first.map((comment) => card(comment, answer)));
    }

    async function refresh() {
        try {
            show(await post("comment/list", { commenterToken: token(), domain, path }));
        } catch (error) {
            say(error.message);
        }
    }

    async function submit() {
        const area = document.getElementById("commento-textarea-root");
        const anonymous = document.getElementById("commento-anonymous-checkbox-root").checked;
        if (area.value.trim() === "") {
            return say("Write something first.");
        }
        if (token() === "anonymous" && !anonymous) {
            return say("Log in, or tick the box to stay anonymous.");
        }
        try {
            const commenterToken = anonymous ? "anonymous" : token();
            const comment = { commenterToken, anonName: "", domain, path, parentHex: "root", markdown: area.value };
            const answer = await post("comment/new", comment);
            area.value = "";
            say(answer.state === "approved" ? "" : "Your comment waits for a moderator.");
            await refresh();
        } catch (error) {
            say(error.message);
        }
    }

    function form() {
        const box = element("input", { id: "commento-anonymous-checkbox-root", type: "checkbox" });
        const button = element("button", { id: "commento-submit-button-root", textContent: "Add comment" });
        button.addEventListener("click", submit);
        return [
            element("textarea", { id: "commento-textarea-root", placeholder: "Your comment" }),
            element("div", {}, element("label", {}, box, " Stay anonymous")),
            button,
        ];
    }

    function listenForChanges() {
        const socket = new WebSocket(origin.replace(/^http/, "ws") + "/ws");
        socket.addEventListener("open", () => socket.send(domain + path));
        socket.addEventListener("message", refresh);
        // The server hangs up whenever another page has news.
        socket.addEventListener("close", () => setTimeout(listenForChanges, secondsToReconnect * 1000));
    }

    function start() {
        root = document.getElementById("commento");
        if (root === null) {
            return;
        }
        document.head.append(element("link", { rel: "stylesheet", href: cdn + "/css/commento.css" }));
        root.classList.add("commento-root");
        trouble = element("div", { id: "commento-error", className: "commento-error" });
        list = element("div", { id: "commento-comments-area" });
        root.append(trouble, ...form(), list);
        refresh();
        listenForChanges();
    }

    if (document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", start);
    } else {
        start();
    }
})();
