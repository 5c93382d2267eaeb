/**
 * The memory of a teacher's page, as a Streamlit component without a picture: the browser's tab keeps the
 * name of the session that has opened a room, so that the page has its room again when it is loaded again.
 */

const KEY = "regviz-teacher";

/**
 * Keep, return or forget the name.
 *
 * @param {{data: {teacher: string|null, ask: boolean},
 *   setTriggerValue: (name: string, value: string) => void}} component  `teacher` is the name to keep; with
 *   `ask` a kept name is sent to the server; else it is forgotten
 */
export function render({ data: { teacher, ask }, setTriggerValue }) {
  try {
    const kept = sessionStorage.getItem(KEY);
    if (teacher) sessionStorage.setItem(KEY, teacher);
    else if (!ask) sessionStorage.removeItem(KEY);
    else if (kept) setTriggerValue("teacher", kept);
  } catch {
    // without permission to store anything, a page that is loaded again has no room
  }
}
