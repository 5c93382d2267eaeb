/**
 * The memory of the course, as a Streamlit component without a picture: the browser keeps what was done in
 * each lesson, and the server does not.
 */

const KEY = "regviz-course";

/**
 * Keep what was done, or send what is kept.
 *
 * @param {{data: {done: Record<string, unknown>, ask: boolean},
 *   setTriggerValue: (event: string, value: string) => void}} component  `done` is kept, by key of the lesson;
 *   with `ask` the server does not know yet what is kept, and gets it
 */
export function render({ data: { done, ask }, setTriggerValue }) {
  dispatchEvent(new Event("regviz-drawn")); // waiting.js loads the icons' font now
  try {
    if (ask) setTriggerValue("kept", localStorage.getItem(KEY) ?? "{}");
    else localStorage.setItem(KEY, JSON.stringify(done));
  } catch {
    // without permission to store anything, each visit begins anew
    if (ask) setTriggerValue("kept", "{}");
  }
}
