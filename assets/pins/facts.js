/** The texts beside a pinned run's pictures. */

/** @import {Displayed, Recording} from "../board/state/types.d.ts" */

import { measuresOf } from "../board/state/displayed.js";
import { sparsity } from "../board/state/measures.js";
import * as words from "../board/state/words.js";

/**
 * Return the texts about a displayed network.
 *
 * @param {Recording} recording
 * @param {Displayed} displayed
 * @returns {{name: string, strength: string, epoch: string, train: string, test: string, left: string, sentence: string}}
 *   `left`: number of weights that are not 0; `sentence`: all of it for screen readers
 */
export function factsOf(recording, displayed) {
  const { network: { task }, epochs, weightIndex, lastEpoch } = recording;
  const { card, strength, drawn, divergedEpoch } = displayed;
  const measures = measuresOf(recording, displayed);
  const weights = weightIndex.length;
  const zeros = Math.round(weights * sparsity(drawn, 0, weightIndex));
  const epoch = epochs[displayed.t];
  return {
    name: card.label,
    strength,
    epoch: divergedEpoch === null ? words.epochOf(epoch, lastEpoch) : words.divergedAt(divergedEpoch),
    train: words.FORMATS.train_loss(measures.train_loss, task),
    test: words.FORMATS.test_loss(measures.test_loss, task),
    left: `${weights - zeros} of ${weights}`,
    sentence: words.pictureOf({
      label: card.label, strength, epoch, task, testLoss: measures.test_loss, accuracy: measures.test_accuracy,
      zeros, weights, diverged: divergedEpoch,
    }),
  };
}
