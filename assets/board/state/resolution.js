/**
 * How finely a board that moves is drawn: as coarsely as it takes to keep up. Pure.
 *
 * @typedef {{coarse: number, slow: number, quick: number}} Resolution  an index into GRIDS, and how many of
 *   the last drawings in a row took long, or did not
 */

/** Grid points along each side of a boundary, finest first. */
export const GRIDS = [64, 48, 32, 24];

// milliseconds: drawing that takes longer, twice in a row, is made coarser
const SLOW = 17;
// and finer again after so many that took no longer than this
const QUICK = 8;
const LONG = 40;

// multiplications: the large boundary is drawn so finely at rest that this suffices
const CLOSEUP_WORK = 8e6;
const CLOSEUP_GRID = 200;

/** @type {Resolution} */
export const START_RESOLUTION = Object.freeze({ coarse: 0, slow: 0, quick: 0 });

/**
 * The pace after a drawing that has taken so many milliseconds.
 *
 * @param {Resolution} pace
 * @param {number} taken
 * @returns {Resolution}
 */
export function adaptResolution({ coarse, slow, quick }, taken) {
  const next = { coarse, slow: taken > SLOW ? slow + 1 : 0, quick: taken < QUICK ? quick + 1 : 0 };
  if (next.slow > 1) return { ...START_RESOLUTION, coarse: Math.min(coarse + 1, GRIDS.length - 1) };
  if (next.quick > LONG) return { ...START_RESOLUTION, coarse: Math.max(coarse - 1, 0) };
  return next;
}

/**
 * Grid points along each side of the large boundary at rest, for networks of so many parameters.
 *
 * @param {number} nParameters
 */
export function closeupGrid(nParameters) {
  const most = Math.floor(Math.sqrt(CLOSEUP_WORK / nParameters));
  return Math.max(GRIDS[0], Math.min(CLOSEUP_GRID, most));
}
