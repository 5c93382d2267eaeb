// The search shows excerpts of the pages it finds, which it fetches; browsers forbid that in a page from disk.
DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = location.protocol !== "file:";
