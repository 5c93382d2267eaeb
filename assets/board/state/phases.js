/** Phases: first parts of the training, in which all networks are the same. */

/** @import {Phase} from "./types.d.ts" */

/**
 * Return the phase that trains the epoch after an epoch, or null after the last phase.
 *
 * @param {readonly Phase[]} phases
 * @param {number} epoch  number of trained epochs
 */
export function phaseAfter(phases, epoch) {
  return phases.find(({ until }) => epoch < until) ?? null;
}

/**
 * Return the phase that has trained the networks of an epoch, or null after the last phase.
 *
 * @param {readonly Phase[]} phases
 * @param {number} epoch  number of trained epochs
 */
export function phaseUntil(phases, epoch) {
  return phases.find(({ until }) => epoch <= until) ?? null;
}
