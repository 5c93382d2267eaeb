/**
 * The memory of a page in a class's room, as a Streamlit component without a picture: the browser's tab keeps
 * the random name of the page's session, so that a page that is loaded again is the same teacher's or student's.
 */

const KEY = "regviz-room";

/**
 * Keep, return or forget the name.
 *
 * @param {{data: {name: string|null, ask: boolean},
 *   setTriggerValue: (event: string, value: string) => void}} component  `name` is kept; with `ask` another name
 *   that is kept already is sent to the server; without either, it is forgotten
 */
export function render({ data: { name, ask }, setTriggerValue }) {
  try {
    const kept = sessionStorage.getItem(KEY);
    if (ask && kept && kept !== name) setTriggerValue("kept", kept);
    else if (name) sessionStorage.setItem(KEY, name);
    else sessionStorage.removeItem(KEY);
  } catch {
    // without permission to store anything, a page that is loaded again is another one
  }
}
