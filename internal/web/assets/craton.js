// What makes the page quicker for those who have JavaScript. Everything works without it.

// Times are shown in the reader's zone; UTC is in the title.
const zoned = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "medium" });
for (const time of document.querySelectorAll("time[datetime]")) {
	const at = new Date(time.dateTime);
	if (!Number.isNaN(at.valueOf())) {
		time.title = time.textContent;
		time.textContent = zoned.format(at);
	}
}

// Commands can be copied.
for (const button of document.querySelectorAll("button.copy")) {
	if (!navigator.clipboard) break;
	button.hidden = false;
	button.addEventListener("click", async () => {
		await navigator.clipboard.writeText(button.previousElementSibling.textContent);
		button.textContent = "Copied";
		setTimeout(() => { button.textContent = "Copy"; }, 1500);
	});
}
