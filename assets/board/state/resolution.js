/** The resolution of boundaries while the board changes: reduced until drawing keeps up. */

/** @import {Resolution} from "./types.d.ts" */

/** Grid points along each side of a boundary, finest first. */
export const GRIDS = [64, 48, 32, 24];

// two consecutive drawings longer than this reduce the resolution: one animation frame at 60 Hz
const SLOW_MS = 17;
// more than N_QUICK consecutive drawings shorter than this raise it
const QUICK_MS = 8;
const N_QUICK = 40;

// number of multiplications that limits the grid of the large boundary at rest
const CLOSEUP_WORK = 8e6;
const CLOSEUP_GRID = 200;

/** @type {Resolution} */
export const START_RESOLUTION = Object.freeze({ coarse: 0, slow: 0, quick: 0 });

/**
 * Return the resolution after a drawing.
 *
 * @param {Resolution} resolution
 * @param {number} taken  milliseconds that the drawing took
 * @returns {Resolution}
 */
export function adaptResolution({ coarse, slow, quick }, taken) {
  const next = { coarse, slow: taken > SLOW_MS ? slow + 1 : 0, quick: taken < QUICK_MS ? quick + 1 : 0 };
  if (next.slow > 1) return { ...START_RESOLUTION, coarse: Math.min(coarse + 1, GRIDS.length - 1) };
  if (next.quick > N_QUICK) return { ...START_RESOLUTION, coarse: Math.max(coarse - 1, 0) };
  return next;
}

/**
 * Return the grid points along each side of the large boundary at rest.
 *
 * @param {number} nParameters  of a network
 */
export function closeupGrid(nParameters) {
  const most = Math.floor(Math.sqrt(CLOSEUP_WORK / nParameters));
  return Math.max(GRIDS[0], Math.min(CLOSEUP_GRID, most));
}
