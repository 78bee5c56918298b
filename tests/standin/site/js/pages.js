// What the owner's pages of the stand-in do: sign up, log in, list and register domains.
(function () {
    "use strict";

    const origin = "[[[.Origin]]]";
    const cookie = "commentoOwnerToken";

    function ownerToken() {
        const pair = document.cookie.split("; ").find((text) => text.startsWith(cookie + "="));
        return pair ? pair.split("=")[1] : "";
    }

    async function post(call, body) {
        const answer = await fetch(origin + "/api/" + call, { method: "POST", body: JSON.stringify(body) });
        return JSON.parse(await answer.text());
    }

    function say(text) {
        document.getElementById("message").textContent = text;
    }

    const afterwards = {
        "owner/new": () => window.location.assign(origin + "/login"),
        "owner/login": (answer) => {
            document.cookie = cookie + "=" + answer.ownerToken + "; path=/";
            window.location.assign(origin + "/dashboard");
        },
        "domain/new": () => window.location.reload(),
    };

    async function send(form) {
        const body = Object.fromEntries(new FormData(form));
        if (form.dataset.call.startsWith("domain/")) {
            body.ownerToken = ownerToken();
        }
        const answer = await post(form.dataset.call, body);
        answer.success ? afterwards[form.dataset.call](answer) : say(answer.message);
    }

    async function listDomains(list) {
        const answer = await post("domain/list", { ownerToken: ownerToken() });
        for (const domain of answer.domains || []) {
            const line = document.createElement("li");
            line.textContent = domain.name + " (" + domain.domain + ")";
            list.append(line);
        }
    }

    for (const form of document.querySelectorAll("form[data-call]")) {
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            send(form);
        });
    }
    const list = document.getElementById("domains");
    if (list !== null) {
        listDomains(list);
    }
    if (window.location.pathname.endsWith("/logout")) {
        document.cookie = cookie + "=; path=/; max-age=0";
    }
})();
