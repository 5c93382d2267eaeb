"""Style sheet of all pages."""

STYLE = """<style>
  .stMainBlockContainer { padding: 1rem 1.4rem; }
  .stApp:has([data-testid="stExpandSidebarButton"]) .stMainBlockContainer { padding-top: 3.2rem; }
  /* On phones the header stays opaque, as its buttons would cover text that scrolls below it. */
  @media (min-width: 900px) { .stAppHeader { background: transparent; } }
  @media (max-width: 899px) { .stAppHeader { height: 2.8rem; min-height: 0; } }
  .stAppHeader, .stAppHeader div { pointer-events: none; }
  .stAppHeader button, .stAppHeader a {
    pointer-events: auto; border-radius: 8px; backdrop-filter: blur(8px);
  }
  /* the board shows its own progress, and Streamlit's status icon would cover the buttons */
  [data-testid="stStatusWidget"]:has([data-testid*="Icon"]) { display: none; }
  /* Streamlit fades stale elements, but the board stays valid while frames arrive. The minimum
     heights reserve space for board and thumbnails, so that no control moves when they appear. */
  .st-key-board { opacity: 1 !important; min-height: 100vh; }
  .st-key-data { min-height: 92px; }
  .stSidebar .stVerticalBlock { gap: 0.6rem; }
  [data-testid="stSidebarHeader"] { height: 2.4rem; margin: 0; padding-top: 0.4rem; }
  /* at Streamlit's opacity of 0.6, captions have a contrast of 4.2 and code in them 3.1; WCAG AA
     requires 4.5 */
  [data-testid="stCaptionContainer"] { opacity: 0.8; }
  /* likewise in programs: Streamlit's colours have contrasts of 2.2 to 3.7 in the light theme */
  [data-testid="stCode"] pre .token[class] { color: light-dark(#5a6270, #c3c9d4); }
  [data-testid="stCode"] pre .token:is(.keyword, .function) { color: light-dark(#2747b8, #9db9ff); }
  [data-testid="stCode"] pre .token.string { color: light-dark(#0b6b52, #6fd3ae); }
  [data-testid="stCode"] pre .token:is(.number, .boolean) { color: light-dark(#8a4600, #ffb86b); }
  /* likewise on the tags of chosen values: white has a contrast of 2.4 in the dark theme */
  .stMultiSelect [data-tag], .stMultiSelect [data-tag] * { color: light-dark(#fff, #10141c); }
  /* Forced colours remove backgrounds, which Streamlit's sliders, switches and selected buttons are
     drawn by, and recolour the text of figures. */
  @media (forced-colors: active) {
    [data-testid="stSlider"] [role="group"] > div > div:first-child,
    [data-testid="stCheckbox"] label > div:not([data-testid]) {
      forced-color-adjust: none; outline: 1px solid CanvasText;
    }
    [data-testid="stSlider"] [role="group"] > div > div:has(input) { background: Highlight; }
    [data-testid="stButtonGroup"] button[data-selected="true"] {
      forced-color-adjust: none; background: Highlight !important; color: HighlightText !important;
    }
    .js-plotly-plot { forced-color-adjust: none; }
  }
  /* On paper: what is found out, without the controls, and in the light theme. */
  @media print {
    .stSidebar, .stAppHeader, .st-key-buttons, .stButtonGroup { display: none; }
    :root { color-scheme: light; }
    body, .stApp, .stMain { background: #fff !important; color: #1f2430 !important; }
    .stMain { position: static; overflow: visible; }
    .stMain :is(p, h1, h2, h3) { color: #1f2430 !important; }
  }
  /* second-level headings in the size of Streamlit's third level, to save space */
  .stHeading h2 { padding: 0.5rem 0 1rem; }
  .stSidebar .stHeading h2 { font-size: 1.125rem; }
  .st-key-room_memory { position: absolute; }
  .st-key-above { padding-right: 2.2rem; }  /* space for Streamlit's menu */
  .st-key-above, .st-key-buttons { gap: 0.5rem; }
  .st-key-buttons button { padding-inline: 0.55rem; }
  /* while the sidebar is open, it has this link */
  .stApp:not(:has([data-testid="stExpandSidebarButton"]))
    .st-key-buttons > :has(.stPageLink) { display: none; }
  .st-key-buttons .stPageLink a { min-height: 2.5rem; margin: 0; padding-inline: 0.4rem; }
  @media (max-width: 640px) {
    .st-key-above { padding-right: 0; }  /* the menu is above */
    .st-key-above p { font-size: 0.875rem; line-height: 1.4; }
    .st-key-buttons { gap: 0.4rem; }
    .st-key-buttons button { padding-inline: 0.4rem; }
  }
  @media (min-width: 1100px) { .st-key-above { flex-wrap: nowrap; } }
  /* Pins beside one another, in a row that scrolls where they do not fit. Streamlit would fade them
     while a change trains. */
  .st-key-pins { flex-wrap: nowrap; align-items: stretch; gap: 0.6rem; overflow-x: auto; }
  [class*="st-key-pin_"] { opacity: 1 !important; }
  .st-key-pins > div { flex: 1 0 252px; max-width: 400px; }
  .st-key-pins > div > .stVerticalBlock { gap: 0.4rem; padding: 0.5rem 0.6rem; }
  .st-key-pins button { min-height: 1.75rem; padding: 0; }
  .st-key-pins [data-testid="stMarkdownContainer"] p { font-size: 0.8125rem; line-height: 1.35; }
  .regviz-preview {
    width: 100%; table-layout: fixed; border-collapse: collapse; font-size: 0.8rem;
  }
  .regviz-preview caption { padding-bottom: 0.2rem; text-align: left; }
  .regviz-preview :is(th, td) {
    padding: 0.1rem 0.3rem; overflow: hidden; text-align: left; text-overflow: ellipsis;
    white-space: nowrap;
  }
  .regviz-preview td { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  .regviz-alt {
    position: absolute; width: 1px; height: 1px; margin: 0; overflow: hidden;
    clip-path: inset(50%); white-space: nowrap;
  }
</style>"""
