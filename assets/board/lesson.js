/** The page of a lesson: prediction, scenes, task. regviz/lessons/article.py writes its HTML. */

/**
 * @import {Place} from "./offline.js"
 * @import {Condition, Operand, RequestedView} from "./state/types.d.ts"
 * @import {Progress} from "./progress.js"
 *
 * @typedef {Object} Scene
 * @property {string} files  addresses of the recording's scripts
 * @property {RequestedView} view
 * @property {number} end  the last epoch
 *
 * @typedef {Object} LessonData
 * @property {string} key
 * @property {number} right  index of the right answer
 * @property {string[]} show  panels of the board
 * @property {string} drag  the control of *See*
 * @property {Record<string, Scene>} scenes  those that are recorded
 * @property {string[]} choices  scenes of the slider
 * @property {Task} task
 *
 * @typedef {Object} Task
 * @property {string} scene
 * @property {string} of  a method, "focus" or "any"
 * @property {string} drag
 * @property {Condition|null} condition  null if the browser cannot tell
 * @property {Record<string, string>} names  of methods
 * @property {RequestedView} solution
 */

import { setText, make } from "./draw/dom.js";
import { keep, progressIn } from "./progress.js";
import { held, measuresAt, valueOf } from "./state/task.js";

const SKIPPED = -1;
const PERCENT = ["train_accuracy", "test_accuracy", "sparsity"];
const WHOLE = ["weights_left", "units_left", "epoch"];
const SIGNS = { "<": "below", "<=": "at most", ">": "above", ">=": "at least" };
/** @type {Record<string, string>} */
const LABELS = {
  train_loss: "training loss", test_loss: "test loss", gap: "gap", test_accuracy: "test accuracy",
  sparsity: "share of weights at 0", weights_left: "weights left", units_left: "units left",
  l1_norm: "sum of |w|", l2_norm: "length of w", epoch: "epoch",
};

/**
 * Start a lesson.
 *
 * @param {HTMLElement} article
 * @param {Place} place
 */
export function startLesson(article, place) {
  new Lesson(article, place, JSON.parse(article.dataset.lesson ?? "")).start();
}

class Lesson {
  /**
   * @param {HTMLElement} article
   * @param {Place} place
   * @param {LessonData} data
   */
  constructor(article, place, data) {
    this.article = article;
    this.place = place;
    this.data = data;
    this.scene = "";
    this.drag = [data.drag];
    this.request = 0;
    /** @type {Progress} */
    this.progress = progressIn(data.key);
    this.answer = /** @type {HTMLDetailsElement} */ (this.#find(".answer"));
    this.status = this.#find(".outcome");
    this.slider = /** @type {HTMLInputElement|null} */ (article.querySelector(".scene input"));
  }

  /** @param {string} selector */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.article.querySelector(selector));
  }

  start() {
    const radios = [.../** @type {NodeListOf<HTMLInputElement>} */ (this.article.querySelectorAll("[name=answer]"))];
    // an answer may be chosen before this script is there
    const chosen = radios.findIndex(({ checked }) => checked);
    if (chosen >= 0) this.progress.answer = chosen;
    radios.forEach((radio, i) => {
      radio.checked = i === this.progress.answer;
      radio.addEventListener("change", () => this.#predict(i));
    });
    this.answer.addEventListener("toggle", () => {
      if (this.answer.open && this.progress.answer === null) this.#predict(SKIPPED);
    });
    this.slider?.addEventListener("input", () => this.#choose());
    this.#find(".put")?.addEventListener("click", () => this.#put(this.data.scenes[this.data.task.scene]?.view));
    this.#find(".solve")?.addEventListener("click", () => this.#put(this.data.task.solution));
    this.place.board.reporter.onView = () => this.#judge();
    if (this.progress.answer !== null) this.#predict(this.progress.answer);
    if (this.progress.solved) setText(this.status, "You have solved this before.");
  }

  /**
   * Show the answer and the rest of the lesson.
   *
   * @param {number} i  index of the chosen answer, or SKIPPED
   */
  #predict(i) {
    this.progress.answer = i;
    keep(this.data.key, this.progress);
    this.answer.open = true;
    setText(this.#find(".judged"), i === SKIPPED ? "" : i === this.data.right ? "Yes." : "Not so.");
    const first = !("answered" in this.article.dataset);
    this.article.dataset.answered = "";
    if (first) this.#show(this.data.choices[0] ?? Object.keys(this.data.scenes)[0]);
  }

  #choose() {
    const i = this.slider?.valueAsNumber ?? 0;
    this.#name(i);
    this.#show(this.data.choices[i], true);
  }

  /**
   * Name the shown scene beside the slider.
   *
   * @param {number} i  -1 for that of the task, if it is another one
   */
  #name(i) {
    const labels = (this.slider?.dataset.labels ?? "").split("|");
    const label = labels[i] ?? "as in the task";
    this.slider?.setAttribute("aria-valuetext", label);
    setText(this.#find(".scene output"), label);
  }

  /**
   * Show a scene.
   *
   * @param {string} key
   * @param {boolean} [atEnd]  whether to show the last epoch, and not to play
   * @param {RequestedView} [view]
   */
  async #show(key, atEnd = false, view = this.data.scenes[key].view) {
    const requested = { ...view, id: ++this.request };
    if (atEnd && view.epoch === null) Object.assign(requested, { play: false, epoch: this.data.scenes[key].end });
    const part = { show: this.data.show, drag: /** @type {import("./state/types.d.ts").Part["drag"]} */ (this.drag) };
    this.scene = key;
    await this.place.show(this.data.scenes[key].files, requested, part);
    this.#judge();
  }

  /**
   * Put the task on the board.
   *
   * @param {RequestedView|undefined} view  undefined if its scene is not recorded
   */
  #put(view) {
    const { task, choices } = this.data;
    if (!view) {
      setText(this.status, "This file has another scene of the lesson. The task needs the lesson's page.");
      return;
    }
    this.drag = [...new Set([this.data.drag, task.drag])];
    const i = choices.indexOf(task.scene);
    if (this.slider) {
      if (i >= 0) this.slider.value = String(i);
      this.#name(i);
    }
    this.#show(task.scene, true, view);
    // beside the text, it is in sight
    const column = /** @type {HTMLElement} */ (this.place.element.closest(".right"));
    if (getComputedStyle(column).position !== "sticky") column.scrollIntoView();
  }

  /** Say whether the networks on the board solve the task. */
  #judge() {
    const { board } = this.place;
    const { recording, stage, playing } = board;
    const { condition, scene, of, names } = this.data.task;
    if (!recording || !stage || playing || !condition || this.scene !== scene || !board.complete) return;
    if (board.stale) board.draw();
    const shown = stage.displayed.filter(({ card }) => !card.early_stopped);
    const measures = Object.fromEntries(shown.map(({ card, k, t }) => [card.key, measuresAt(recording, k, t)]));
    const focus = board.view.focus ?? shown[0].card.key;
    const tried = of === "focus" ? [focus] : of === "any" ? [focus, ...Object.keys(measures)] : [of];
    const solving = tried.find((key) => held(condition, measures, key).every(Boolean));
    const key = solving ?? tried[0];
    const each = held(condition, measures, key);
    const lines = condition.comparisons.map(({ left, sign, right }, i) => {
      const measure = left.measure ?? right.measure ?? "";
      const name = (/** @type {Operand} */ side) => (side.measure ? `${names[side.method ?? key]}'s ${LABELS[side.measure]}` : "the number");
      const wanted = `${right.measure ? `${name(right)}, ` : ""}${textOf(measure, valueOf(right, measures, key))}`;
      return make("li", {}, `${each[i] ? "✓" : "✗"} ${name(left)}: `, make("b", {}, textOf(measure, valueOf(left, measures, key))), `, wanted ${SIGNS[sign]} ${wanted}`);
    });
    if (solving && !this.progress.solved) {
      this.progress.solved = true;
      keep(this.data.key, this.progress);
    }
    const verdict = solving ? "Solved." : this.progress.solved ? "You have solved this before." : "Not solved yet.";
    this.status.classList.toggle("solved", Boolean(solving));
    this.status.replaceChildren(make("ul", {}, ...lines), make("p", {}, verdict));
  }
}

/**
 * Return a measure in words.
 *
 * @param {string} measure
 * @param {number} value
 */
function textOf(measure, value) {
  if (Number.isNaN(value)) return "–";
  if (PERCENT.includes(measure)) return `${Math.round(100 * value)} %`;
  return WHOLE.includes(measure) ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
