/** Progress in the course, which the browser keeps as for regviz/pages/learn/progress.py. */

/** @typedef {{answer: number|null, solved: boolean}} Progress  -1: the answer was looked up */

const KEY = "regviz-course";

/**
 * Return the progress by key of the lesson; empty without permission to store anything.
 *
 * @returns {Record<string, Progress>}
 */
function all() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof kept === "object" && kept !== null ? kept : {};
  } catch {
    return {};
  }
}

/**
 * Return the progress in a lesson.
 *
 * @param {string} lesson  its key
 * @returns {Progress}
 */
export function progressIn(lesson) {
  const { answer, solved } = all()[lesson] ?? {};
  return { answer: Number.isInteger(answer) ? answer : null, solved: solved === true };
}

/**
 * Keep the progress in a lesson, if the browser permits it.
 *
 * @param {string} lesson
 * @param {Progress} progress
 */
export function keep(lesson, progress) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...all(), [lesson]: progress }));
  } catch {
    // without permission, each visit begins anew
  }
}

/** Write the progress beside each lesson of the list. */
export function markProgress() {
  for (const mark of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-progress]"))) {
    const { answer, solved } = progressIn(mark.dataset.progress ?? "");
    mark.textContent = solved && answer !== null ? "done · " : solved || answer !== null ? "begun · " : "";
  }
}
