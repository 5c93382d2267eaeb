/** Layout of the cards, in whole CSS pixels, so that no canvas is stretched by a fraction of a pixel. */

// in CSS pixels; seven cards fit beside Streamlit's sidebar and a scrollbar in a window of 1366 pixels
const NARROWEST = 136;
const GAP = 8;
// from this width a card has its picture on the left and the rest on the right, which takes at least ASIDE
const WIDE = 420;
const ASIDE = 170;
// bounds on a picture's side in wide cards
const LARGEST = 460;
const SMALLEST = 220;
// padding and border of a card
const FRAME = 20;
// Size of the window in which a projected board has its usual size. The smallest text of the board has
// 11.5 px, which is 20 px in a window of 1920 × 1080.
const PROJECTED = { width: 1100, height: 620 };
// heights while projecting: of all above the cards but the claim's text, and of a card without its picture
const ABOVE = 122;
const ROUND_PICTURE = { wide: 46, split: 210 };
// windows of less width have space for one card
const PHONE = 700;

/**
 * Return the number of cards that a projected board has space for.
 *
 * @param {number} width  of the window, in CSS pixels
 */
export function mostProjected(width) {
  return width < PHONE ? 1 : 3;
}

/**
 * Return by how much a projected board is magnified.
 *
 * @param {number} width  of the window, in CSS pixels
 * @param {number} height
 */
export function magnification(width, height) {
  return Math.max(1, Math.min(width / PROJECTED.width, height / PROJECTED.height));
}

/**
 * Compute the layout of `n` cards.
 *
 * @param {number} available  width in CSS pixels
 * @param {number} n
 * @param {number} [narrowest]  least width of a card
 * @returns {{columns: number, card: number, width: number}}  `card`: width of a card; `width`: of the board
 */
export function arrange(available, n, narrowest = NARROWEST) {
  const most = Math.max(1, Math.floor((available + GAP) / (narrowest + GAP)));
  // as few columns as make the same number of rows, so that the last row is filled
  const columns = Math.ceil(n / Math.ceil(n / Math.min(n, most)));
  const card = Math.floor((available + GAP) / columns) - GAP;
  return { columns, card, width: columns * (card + GAP) - GAP };
}

/**
 * Return the arrangement within a card, and the largest side of its picture.
 *
 * @param {number} card  its width in CSS pixels
 * @param {number} height  of the window while projecting, else Infinity
 * @returns {{form: "tall"|"split"|"wide", picture: number}}  `tall`: all in one column; `split`: the
 *   measures beside the histogram; `wide`: both beside the picture
 */
export function arrangeCard(card, height) {
  const inside = card - FRAME;
  const fitting = (/** @type {"wide"|"split"} */ form) => Math.max(SMALLEST, Math.floor(height - ABOVE - ROUND_PICTURE[form]));
  if (card >= WIDE) return { form: "wide", picture: Math.min(inside - ASIDE, LARGEST, fitting("wide")) };
  if (height < Infinity && card >= 2 * NARROWEST) return { form: "split", picture: Math.min(inside, fitting("split")) };
  return { form: "tall", picture: inside };
}

/**
 * Set the layout of `n` cards as a data attribute and CSS custom properties, which board.css reads.
 *
 * @param {HTMLElement} element
 * @param {number} n
 * @param {boolean} projected
 * @param {number} above  height of the claim's text while projecting, in CSS pixels of the board
 */
export function layOut(element, n, projected, above) {
  const zoom = projected ? magnification(innerWidth, innerHeight) : 1;
  element.style.setProperty("--zoom", String(zoom));
  const style = getComputedStyle(element);
  const inside = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  if (inside <= 0) return;
  const { columns, card, width } = arrange(inside, n);
  const phone = mostProjected(innerWidth) === 1;
  const { form, picture } = arrangeCard(card, projected && !phone ? innerHeight / zoom - above : Infinity);
  element.dataset.form = form;
  const values = { columns, card: `${card}px`, width: `${width}px`, gap: `${GAP}px`, picture: `${picture}px` };
  for (const [name, value] of Object.entries(values)) element.style.setProperty(`--${name}`, String(value));
}
