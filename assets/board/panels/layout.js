/**
 * How the cards are arranged: in whole pixels, so that no canvas is stretched by a fraction of one.
 */

// seven fit beside Streamlit's sidebar in a window of 1400 pixels
const NARROWEST = 138;
const WIDEST = 350;
const GAP = 8;

/**
 * @param {number} available  in CSS pixels
 * @param {number} n  cards
 * @returns {{columns: number, card: number, width: number}}  a card's width, and the board's
 */
export function arrange(available, n) {
  const most = Math.max(1, Math.floor((available + GAP) / (NARROWEST + GAP)));
  // no more side by side than fill the last row as well as can be
  const columns = Math.ceil(n / Math.ceil(n / Math.min(n, most)));
  const card = Math.floor((available + GAP) / columns) - GAP;
  if (card > WIDEST) return { columns, card: WIDEST, width: Math.floor(available) };
  return { columns, card, width: columns * (card + GAP) - GAP };
}

/**
 * Write the arrangement of `n` cards where board.css reads it.
 *
 * @param {HTMLElement} element
 * @param {number} n
 */
export function layOut(element, n) {
  if (!element.clientWidth) return;
  const { columns, card, width } = arrange(element.clientWidth, n);
  const values = { columns, card: `${card}px`, width: `${width}px`, gap: `${GAP}px` };
  for (const [name, value] of Object.entries(values)) element.style.setProperty(`--${name}`, String(value));
}
