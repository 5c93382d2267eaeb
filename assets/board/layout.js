/** How many cards stand side by side. */

// six fit beside Streamlit's sidebar in a window of 1400 pixels
const NARROWEST = 142;

/** As many columns as fit, and no more than fill the last row as well as can be. */
export function columns(width, n, gap) {
  const most = Math.max(1, Math.floor((width + gap) / (NARROWEST + gap)));
  return Math.ceil(n / Math.ceil(n / Math.min(n, most)));
}
