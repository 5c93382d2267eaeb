// The search shows excerpts of the pages it finds, which it fetches; browsers forbid that in a page from disk.
DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";
document.addEventListener("DOMContentLoaded", () => {
  if (location.protocol !== "file:") return;
  const note = document.createElement("p");
  note.textContent = "Opened from a disk, the search lists titles without excerpts.";
  document.getElementById("search-results")?.before(note);
});
