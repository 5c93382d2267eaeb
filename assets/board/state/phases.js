/** Phases: first parts of the training, in which all networks are the same. */

/** @import {Phase} from "./types.d.ts" */

/**
 * Return the phase that trains an epoch, or null after the last phase.
 *
 * @param {readonly Phase[]} phases
 * @param {number} epoch  from 1; 0, the initial networks, belongs to the first phase
 */
export function phaseOf(phases, epoch) {
  return phases.find(({ until }) => epoch <= until) ?? null;
}
