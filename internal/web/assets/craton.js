// What makes the page quicker for those who have JavaScript. Everything works without it. Nothing is ever written as HTML: only as text.

// Times are shown in the reader's zone; the title has them in UTC.
const two = "2-digit";
const zoned = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: two, day: two, hour: two, minute: two, timeZoneName: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
	const at = new Date(time.dateTime);
	if (!Number.isNaN(at.valueOf())) time.textContent = zoned.format(at);
}

// Commands and values can be copied.
for (const button of document.querySelectorAll("button.copy")) {
	if (!navigator.clipboard) break;
	button.hidden = false;
	button.addEventListener("click", async () => {
		try {
			await navigator.clipboard.writeText(button.previousElementSibling.textContent);
			button.textContent = "Copied";
		} catch { // the browser does not allow it
			button.textContent = "Copying failed";
		}
		setTimeout(() => { button.textContent = "Copy"; }, 1500);
	});
}

// make is an element with a text.
function make(name, text, attributes = {}) {
	const element = document.createElement(name);
	element.textContent = text;
	for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
	return element;
}

// Search as you type: the first that fit, below the field. Enter still leads to the whole list.
const field = document.getElementById("q");
if (field) {
	const form = field.form;
	const list = make("ul", "", { class: "found", id: "found" });
	const said = make("p", "", { class: "visually-hidden", role: "status" });
	list.hidden = true;
	form.append(list, said);
	let under; // the request that is under way
	let wait;
	const most = 8;

	const close = () => { list.hidden = true; list.replaceChildren(); };
	const look = async () => {
		under?.abort();
		const words = field.value.trim();
		if (words.length < 2) {
			close();
			said.textContent = "";
			return;
		}
		under = new AbortController();
		const query = new URLSearchParams(new FormData(form));
		const base = form.getAttribute("action");
		try {
			const answer = await fetch(`${base}.json?${query}`, { signal: under.signal, headers: { Accept: "application/json" } });
			if (!answer.ok) { // a term that is not whole yet, most of the time
				close();
				return;
			}
			const { objects, next } = await answer.json();
			const at = query.get("at");
			list.replaceChildren(...objects.slice(0, most).map((o) => {
				const link = make("a", "", { href: `${base}/${encodeURIComponent(o.id)}${at ? `?at=${encodeURIComponent(at)}` : ""}` });
				link.append(make("bdi", visible(o.name)), " ", make("span", visible(o.ip_address ?? o.cidr ?? ""), { class: "id" }));
				const item = document.createElement("li");
				item.append(link);
				return item;
			}));
			const count = next ? "more than 100" : String(objects.length);
			if (objects.length === 0) list.replaceChildren(make("li", "No match", { class: "more" }));
			else if (objects.length > most) list.append(make("li", `${count} matches: press Enter to list them`, { class: "more" }));
			said.textContent = `${count} found`;
			list.hidden = false;
		} catch (error) {
			if (error.name !== "AbortError") close();
		}
	};
	field.setAttribute("aria-controls", "found");
	field.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(look, 180); });
	form.addEventListener("keydown", (event) => {
		const links = [...list.querySelectorAll("a")];
		const now = links.indexOf(document.activeElement);
		if (event.key === "Escape") {
			close();
			field.focus();
		} else if (links.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
			event.preventDefault();
			const to = now + (event.key === "ArrowDown" ? 1 : -1);
			(links[to] ?? (to < 0 ? field : links[links.length - 1])).focus();
		}
	});
	form.addEventListener("focusout", (event) => { if (!form.contains(event.relatedTarget)) close(); });
}

// visible shows characters that show nothing, or turn the direction of writing, as escapes; the server does so too.
function visible(text) {
	return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0]/gu, (c) => `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}`);
}

// Keys: / searches, j and k go through the rows, Enter opens one, g and a letter goes to a part, ? tells all this. Who speaks to the machine, or
// slips, turns them off in the list of keys; the browser keeps that.
const kept = "craton-keys";
let keysOn = true;
try {
	keysOn = localStorage.getItem(kept) !== "off";
} catch { /* a browser that keeps nothing */ }
const places = { f: "", h: "hosts", d: "network-devices", c: "cells", r: "regions", v: "variables", l: "changes" };
const rows = [...document.querySelectorAll("main tbody tr, main .event, main .levels > li")];
let row = -1;
let going = 0; // until when g counts

function select(to) {
	if (rows.length === 0) return;
	rows[row]?.removeAttribute("data-selected");
	row = Math.max(0, Math.min(rows.length - 1, to));
	rows[row].setAttribute("data-selected", "");
	rows[row].scrollIntoView({ block: "nearest" });
	rows[row].querySelector("a[href]")?.focus({ preventScroll: true });
}

function help() {
	let dialog = document.getElementById("keys");
	if (!dialog) {
		dialog = make("dialog", "", { id: "keys", "aria-label": "Keyboard shortcuts" });
		const all = document.createElement("dl");
		for (const [key, what] of [["/", "search"], ["j k", "next row, previous row"], ["Enter", "open the row"], ["g f", "fleet"], ["g h", "hosts"], ["g d", "network devices"], ["g c", "cells"],
			["g r", "regions"], ["g v", "variables"], ["g l", "changes"], ["?", "this list"]]) {
			const one = document.createElement("div");
			one.append(make("dt", key), make("dd", what));
			all.append(one);
		}
		const close = make("button", "Close", { type: "button" });
		close.addEventListener("click", () => dialog.close());
		const on = make("input", "", { type: "checkbox", id: "keys-on" });
		on.checked = keysOn;
		on.addEventListener("change", () => {
			keysOn = on.checked;
			try {
				localStorage.setItem(kept, keysOn ? "on" : "off");
			} catch { /* then it lasts as long as the page */ }
		});
		const choice = make("p", "");
		choice.append(on, " ", make("label", "Use keyboard shortcuts", { for: "keys-on" }));
		dialog.append(make("h2", "Keyboard shortcuts"), all, choice, close);
		document.body.append(dialog);
	}
	dialog.showModal();
}

const opener = document.querySelector("button.keys");
if (opener) {
	opener.hidden = false;
	opener.addEventListener("click", help);
}

document.addEventListener("keydown", (event) => {
	if (!keysOn || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog[open]")) return;
	const quick = event.timeStamp < going;
	going = 0;
	if (quick && event.key in places) {
		const home = document.querySelector("a.brand");
		const to = new URL(home.href);
		to.pathname += places[event.key];
		location.assign(to);
	} else if (event.key === "g") {
		going = event.timeStamp + 1500;
	} else if (event.key === "/" && field) {
		event.preventDefault();
		field.focus();
		field.select();
	} else if (event.key === "j" || event.key === "k") {
		select(row + (event.key === "j" ? 1 : -1));
	} else if (event.key === "Enter" && row >= 0 && document.activeElement === document.body) {
		rows[row].querySelector("a[href]")?.click();
	} else if (event.key === "?") {
		help();
	}
});
