/**
 * Entry of the pages that need no server: a saved run, a saved lesson, and the pages of the site. The
 * recordings are in the page or in scripts beside it, as regviz/scenes/offline.py writes them.
 */

/** @import {Message, Part, RequestedView} from "./state/types.d.ts" */

import { Board } from "./board.js";
import { startLesson } from "./lesson.js";
import { showPart } from "./panels/part.js";
import { markProgress } from "./progress.js";
import { decode } from "./state/codec.js";
import { watch } from "./watch.js";

/** A board in place of an element of the page, and the recordings that it can show. */
export class Place {
  board = new Board();
  /** @type {Promise<void>} resolves when all files of the shown recording are received */ shown = Promise.resolve();
  /** The recording to show last. */
  wanted = "";
  /** The recording that is received completely, or null. @type {string|null} */ received = null;

  /** @param {HTMLElement} element  as of `board_html` */
  constructor(element) {
    this.element = element;
    this.note = /** @type {HTMLElement} */ (element.querySelector("#note"));
    this.inline = [...document.querySelectorAll("script[data-message]")];
    this.note.before(this.board.element);
    watch(element, this.board);
  }

  /**
   * Show a recording. The board plays it as its messages arrive.
   *
   * @param {string} files  addresses of its scripts, in order; "" for the messages in the page
   * @param {RequestedView|null} view  null for that of the recording
   * @param {Part|null} [part]
   */
  show(files, view, part = null) {
    const last = this.shown;
    this.wanted = files;
    this.shown = last.then(() => this.#receive(files, view, part));
    return this.shown;
  }

  /**
   * Receive the messages of a recording, unless another one is wanted in the meantime.
   *
   * @param {string} files
   * @param {RequestedView|null} view
   * @param {Part|null} part
   */
  async #receive(files, view, part) {
    if (this.received === files) {
      this.#review(view, part);
      return;
    }
    this.received = null;
    try {
      const messages = files ? files.split(" ").map(messageOf) : this.inline.map((script) => Promise.resolve(script.textContent ?? ""));
      // errors of files that are not waited for any more
      for (const message of messages) message.catch(() => {});
      for (const message of messages) {
        const { header, arrays } = await decode(bytesOf(await message));
        if (this.wanted !== files) return;
        const { recording } = this.board;
        if (recording?.run === header.run && header.frame < recording.nReceived) {
          this.#review(view, part);
          continue;
        }
        const shown = { ...header, ...(view && { requested_view: view }), ...(part && { part }) };
        this.board.apply(/** @type {Message} */ ({ header: shown, arrays }));
        // lets the browser draw before the next message is decoded
        await new Promise((done) => setTimeout(done));
      }
      if (!this.board.complete) throw new Error("frames are missing");
      this.received = files;
      this.note.remove();
    } catch (error) {
      const told = /** @type {Error} */ (error).message;
      this.note.textContent = files
        ? `The recording cannot be read (${told}). Is its folder complete?`
        : `This file is damaged (${told}). Save or download it once more.`;
      this.board.element.after(this.note);
    }
  }

  /**
   * Apply a view and a part to the recording that is shown.
   *
   * @param {RequestedView|null} view
   * @param {Part|null} part
   */
  #review(view, part) {
    const { board } = this;
    if (!board.recording) return;
    board.part = part;
    showPart(board.element, board.focus, part);
    board.applyRequestedView(board.recording, view ?? undefined);
    board.measure();
    board.change();
  }
}

/** @type {Map<string, Promise<string>>} */
const loading = new Map();

/**
 * Load a script with a message, once, and return the message in base64.
 *
 * @param {string} file
 */
function messageOf(file) {
  const loaded = loading.get(file) ?? load(file);
  loading.set(file, loaded);
  return loaded;
}

/**
 * Load a script with a message. It may be in the page already.
 *
 * @param {string} file
 * @returns {Promise<string>}
 */
function load(file) {
  const name = file.slice(file.lastIndexOf("/") + 1).replace(/\.js$/, "");
  const received = () => /** @type {{regvizMessages?: Record<string, string>}} */ (globalThis).regvizMessages?.[name];
  return new Promise((resolve, reject) => {
    const end = () => {
      const text = received();
      if (text === undefined) reject(new Error(`${file} is missing`));
      else resolve(text);
    };
    if (received() !== undefined) {
      end();
      return;
    }
    const script = document.createElement("script");
    script.src = file;
    script.onload = script.onerror = end;
    document.head.append(script);
  });
}

/**
 * Decode base64.
 *
 * @param {string} text
 */
function bytesOf(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

const element = /** @type {HTMLElement|null} */ (document.querySelector(".recording"));
const lesson = /** @type {HTMLElement|null} */ (document.querySelector("[data-lesson]"));
if (element) {
  const place = new Place(element);
  if (lesson) startLesson(lesson, place);
  else place.show(element.dataset.files ?? "", JSON.parse(element.dataset.view ?? "null"));
}
markProgress();
