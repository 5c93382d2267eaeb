/** Layout of the cards, in whole CSS pixels, so that no canvas is stretched by a fraction of a pixel. */

// in CSS pixels; seven cards fit beside Streamlit's sidebar in a window of 1400 pixels
const NARROWEST = 138;
const WIDEST = 350;
const GAP = 8;

/**
 * Compute the layout of `n` cards.
 *
 * @param {number} available  width in CSS pixels
 * @param {number} n
 * @returns {{columns: number, card: number, width: number}}  `card`: width of a card; `width`: of the board
 */
export function arrange(available, n) {
  const most = Math.max(1, Math.floor((available + GAP) / (NARROWEST + GAP)));
  // as few columns as make the same number of rows, so that the last row is filled
  const columns = Math.ceil(n / Math.ceil(n / Math.min(n, most)));
  const card = Math.floor((available + GAP) / columns) - GAP;
  if (card > WIDEST) return { columns, card: WIDEST, width: Math.floor(available) };
  return { columns, card, width: columns * (card + GAP) - GAP };
}

/**
 * Set the layout of `n` cards as CSS custom properties, which board.css reads.
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
