/** Reports a board's view to the server and to the address bar, when it has not changed for a while. */

/**
 * @import {Recording, ViewReport} from "./state/types.d.ts"
 * @import {Reported} from "./types.d.ts"
 */

import { reportOf } from "./state/view.js";

// milliseconds without a change until the view is reported
const REPORT_DELAY_MS = 120;

export class Reporter {
  /** @type {ReturnType<typeof setTimeout>|0} of the scheduled report, or 0 */ timer = 0;
  /** Whether a pointer was pressed on the board and is not released yet. */
  pointerDown = false;
  /** The last view that the server knows, as JSON. */
  reported = "";
  /** Run, link, claim and view that were last written to the address bar. */
  written = "";
  /**
   * Called with the view, if it differs from the last one that the server knows.
   *
   * @type {(report: ViewReport) => void}
   */
  onView = () => {};
  /**
   * Called with the recording, the view and the key of the shown claim, if any of them has changed.
   *
   * @type {(recording: Recording, report: ViewReport, claim: string|null) => void}
   */
  onAddress = () => {};

  /** @param {Reported} board */
  constructor(board) {
    this.board = board;
  }

  /** Report the view after REPORT_DELAY_MS without a further call, unless the pointer is down. */
  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      if (!this.pointerDown) this.report();
    }, REPORT_DELAY_MS);
  }

  /** Cancel a scheduled report. */
  cancel() {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  /** Schedule a report after the pointer is released, if it was pressed on the board. */
  release() {
    if (!this.pointerDown) return;
    this.pointerDown = false;
    this.schedule();
  }

  /**
   * Note a view as known to the server, which has requested it.
   *
   * @param {ViewReport} report
   */
  acknowledge(report) {
    this.reported = JSON.stringify(report);
  }

  /** Report the view, where it has changed. */
  report() {
    const { recording, view, state, requestId, shownClaim } = this.board;
    if (!recording) return;
    const report = reportOf(view, recording, state, requestId);
    const json = JSON.stringify(report);
    if (json !== this.reported) this.onView(report);
    this.reported = json;
    const address = [recording.run, recording.link, shownClaim, json].join();
    if (address !== this.written) this.onAddress(recording, report, shownClaim);
    this.written = address;
  }
}
