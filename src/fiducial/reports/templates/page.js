// Copy buttons, where the browser lets a page copy; without scripts the page lacks nothing else.
for (const box of document.querySelectorAll(".commands")) {
  const button = box.querySelector(".copy");
  if (!button || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(box.querySelector("code").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
