// The review page. Texts arrive as data and become nodes one by one: nothing here turns text into markup.

const WORDS = {
  en: {
    other: "中文", another: "Another reviewer", help: "Keys", who: "Who is judging?", whoHint: "Each reviewer judges alone; your name stands with your verdicts.", begin: "Begin",
    question: "Question", options: "Options", reference: "Reference answer", rubric: "What the judges are told", answer: (n) => `Answer ${n}`,
    left: (text) => `about ${text} left`, of: (done, all) => `${done} of ${all}`, rate: (text) => `${text} each`,
    first: "Answer 1 is better", second: "Answer 2 is better", tie: "Tie", cannot: "Cannot say", undo: "Take back", comment: "Comment, if you like",
    scoring: (n, all) => (all > 1 ? `Score for answer ${n} of ${all}` : "Score"), more: (n) => `… ${n} more characters`, done: "All judged. Thank you.",
    doneHint: "The last verdicts can still be taken back (Z). Once agreement has been shown, they stand.", show: "Show agreement",
    wait: "Agreement is shown when two reviewers have finished.", both: "both judged", agree: "agree", kappa: "Cohen's κ", alpha: "Krippendorff's α, all reviewers",
    reviewer: "reviewer", judged: "judged", roles: { user: "User", assistant: "Assistant", system: "System" },
    trouble: "Not saved: the server does not answer. Start “tilth review” again and open the address it prints; all earlier verdicts are safe.",
    none: "There is nothing to judge.",
    keysPair: [["← or 1", "answer 1 is better"], ["→ or 2", "answer 2 is better"], ["↓ or 3", "tie"], ["X", "cannot say"]],
    keysScale: [["0 – 9", "the score (0 is 10 where the scale ends there)"], ["↓ ↑", "next or previous answer"], ["X", "cannot say"], ["Enter", "the scores stand as they are"]],
    keysAll: [["Z", "take back the last verdict"], ["C", "write a comment; Enter or Esc leaves it"], ["R", "open or fold the reference"], ["M", "formatted, or every character as written"], ["L", "English or 中文"], ["Space", "on through a long text; with Shift back"], ["?", "these keys"]],
  },
  zh: {
    other: "English", another: "换一位评审", help: "按键", who: "谁在评审？", whoHint: "每位评审独立进行；您的名字会与您的判断一同保存。", begin: "开始",
    question: "问题", options: "选项", reference: "参考答案", rubric: "给评审模型的说明", answer: (n) => `回答 ${n}`,
    left: (text) => `还需约 ${text}`, of: (done, all) => `${done} / ${all}`, rate: (text) => `每条 ${text}`,
    first: "回答 1 更好", second: "回答 2 更好", tie: "不分高下", cannot: "无法判断", undo: "撤回", comment: "备注（可不填）",
    scoring: (n, all) => (all > 1 ? `回答 ${n}（共 ${all} 份）的分数` : "分数"), more: (n) => `……另有 ${n} 个字符`, done: "全部评完，谢谢！",
    doneHint: "最后的判断仍可撤回（Z）；显示一致性之后即为定论。", show: "显示一致性",
    wait: "两位评审都完成后才显示一致性。", both: "共同评审", agree: "一致", kappa: "Cohen κ", alpha: "Krippendorff α（全体评审）",
    reviewer: "评审", judged: "已评", roles: { user: "用户", assistant: "助手", system: "系统" },
    trouble: "未保存：服务没有响应。请重新运行 tilth review 并打开它给出的地址；此前的判断都已保存。",
    none: "没有需要评审的内容。",
    keysPair: [["← 或 1", "回答 1 更好"], ["→ 或 2", "回答 2 更好"], ["↓ 或 3", "不分高下"], ["X", "无法判断"]],
    keysScale: [["0 – 9", "打分（满分为 10 时按 0）"], ["↓ ↑", "下一份 / 上一份回答"], ["X", "无法判断"], ["Enter", "保持现有分数"]],
    keysAll: [["Z", "撤回上一条判断"], ["C", "写备注；Enter 或 Esc 离开"], ["R", "展开或收起参考答案"], ["M", "排版显示，或逐字显示原文"], ["L", "English / 中文"], ["空格", "长文向下翻页，加 Shift 向上"], ["?", "按键说明"]],
  },
};
const ELEMENTS = { p: "p", ul: "ul", ol: "ol", li: "li", pre: "pre", code: "code", em: "em", strong: "strong", s: "s", blockquote: "blockquote",
  table: "table", thead: "thead", tbody: "tbody", tr: "tr", th: "th", td: "td", hr: "hr", br: "br", h: "h4", n: "span" };
const ARROWS = { ArrowLeft: "first", ArrowRight: "second", ArrowDown: "tie", 1: "first", 2: "second", 3: "tie", x: "cannot_say" };

const at = (id) => document.getElementById(id);
const kept = (store, name, value) => { // a browser may keep nothing for a page on this machine
  try { return value === undefined ? store().getItem(name) : store().setItem(name, value); } catch { return null; }
};
const session = () => sessionStorage, always = () => localStorage;

let speech = kept(always, "tilth-speech") ?? (navigator.language.startsWith("zh") ? "zh" : "en");
let formatted = true, busy = false, turn = null, scores = [], active = 0, comment = "", found = null;
let looked = 0, since = null; // milliseconds that this sheet has been in view

const words = () => WORDS[speech] ?? WORDS.en;

function el(name, props = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === "on") made.addEventListener("click", value);
    else if (key in made && key !== "list") made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function plain(text) { // a browser takes half a minute to break 200,000 letters without a blank, unless it is told where it may
  return text.replace(/\S{100}/gu, "$&\0").split("\0").flatMap((part, index) => (index ? [el("wbr"), part] : [part]));
}

function nodes(tree) {
  return tree.flatMap((node) => {
    if (typeof node === "string") return plain(node);
    const [name, ...inside] = node;
    const made = el(ELEMENTS[name] ?? "span", name === "n" ? { className: "n" } : {}, ...nodes(inside));
    return name === "table" ? el("div", { className: "wide" }, made) : made;
  });
}

function prose(text) {
  const body = el("div", { className: "prose", dir: "auto", lang: turn.sheet.language });
  if (formatted && text.nodes) body.append(...nodes(text.nodes));
  else body.append(el("p", { className: "raw" }, ...plain(text.text)));
  if (text.left_out) body.append(el("p", { className: "note" }, words().more(text.left_out.toLocaleString(speech))));
  return body;
}

function folded(id, title, body) {
  const before = at(id);
  return el("details", { id, open: before?.open ?? false }, el("summary", {}, title), body);
}

function time(seconds) {
  const short = (value, unit) => value.toLocaleString(speech, { style: "unit", unit, unitDisplay: speech === "zh" ? "long" : "short", maximumFractionDigits: 0 });
  return seconds < 90 ? short(Math.max(1, seconds), "second") : seconds < 5400 ? short(seconds / 60, "minute") : short(seconds / 3600, "hour");
}

// -- what is shown ------------------------------------------------------------------------------------------------

function show() {
  const w = words();
  document.documentElement.lang = speech;
  at("speech").textContent = w.other;
  at("ask").title = w.help;
  at("who").textContent = turn?.reviewer ?? "";
  at("who").hidden = !turn?.reviewer;
  at("who").title = w.another;
  const total = turn?.sheets ?? 0;
  at("fill").style.width = total ? `${(100 * turn.judged) / total}%` : "0";
  at("at").replaceChildren();
  if (total) {
    const pace = turn.seconds_left === null || turn.judged >= total ? null : turn.seconds_left;
    at("at").append(el("b", {}, w.of(turn.judged.toLocaleString(speech), total.toLocaleString(speech))));
    if (pace !== null) at("at").append(el("span", {}, `${w.rate(time(pace / (total - turn.judged)))} · ${w.left(time(pace))}`));
  }
  document.title = total ? `${turn.judged}/${total} · ${turn.job}` : "Tilth review";
  at("job").textContent = turn ? `Tilth review · ${turn.job}` : "";
  keys();
  const sheet = turn?.sheet;
  at("dock").hidden = !sheet;
  if (!turn) return;
  if (!turn.reviewer) {
    at("sheet").replaceChildren(desk());
    at("name").focus();
  }
  else if (!sheet) at("sheet").replaceChildren(end());
  else {
    at("sheet").replaceChildren(...page(sheet));
    at("dock").replaceChildren(...(sheet.scale ? digits(sheet) : choices()));
  }
}

function desk() {
  const w = words();
  const name = el("input", { id: "name", required: true, maxLength: 40, autocomplete: "off", value: at("name")?.value ?? "" });
  const form = el("form", { className: "desk" }, el("h2", {}, w.who), el("p", { className: "what" }, w.whoHint), name, el("button", { className: "main" }, w.begin));
  form.addEventListener("submit", (event) => { event.preventDefault(); ask("turn", { reviewer: name.value }); });
  return form;
}

function page(sheet) {
  const w = words();
  const turns = sheet.prompt.map((said) => el("div", { className: "turn" },
    sheet.prompt.length > 1 ? el("p", { className: "side" }, w.roles[said.role] ?? said.role) : null, prose(said)));
  const shown = [el("section", { className: "card question" }, el("p", { className: "side" }, w.question), ...turns)];
  if (sheet.options.length) {
    const listed = sheet.options.map((option) => el("li", {}, el("b", {}, option.label), el("span", { dir: "auto" }, option.text)));
    shown.push(el("section", { className: "card options" }, el("p", { className: "side" }, w.options), el("ul", {}, ...listed)));
  }
  const folds = el("div", { className: "folds" });
  if (sheet.reference) folds.append(folded("reference", w.reference, prose(sheet.reference)));
  folds.append(folded("rubric", w.rubric, el("p", { className: "raw", dir: "auto" }, sheet.rubric)));
  const cards = sheet.candidates.map((text, index) => el("section", { className: "card answer", id: `answer-${index}` },
    el("p", { className: "side" }, w.answer(index + 1), mark(index)), prose(text)));
  return [...shown, folds, el("div", { className: sheet.scale ? "answers scored" : "answers" }, ...cards)];
}

function mark(index) {
  const value = scores[index];
  return el("span", { className: "mark" }, value === undefined ? "" : value === null ? words().cannot : String(value));
}

function choices() {
  const w = words();
  const said = { first: [w.first, "←"], tie: [w.tie, "↓"], cannot_say: [w.cannot, "X"], second: [w.second, "→"] };
  const buttons = Object.entries(said).map(([answer, [text, key]]) =>
    el("button", { type: "button", id: answer, className: answer === chosen() ? "chosen" : "", on: () => judge(answer) }, el("kbd", {}, key), text));
  return [el("div", { className: "choices" }, ...buttons), aside()];
}

function chosen() {
  const before = turn.before?.values;
  return before && !turn.sheet.scale ? (before[0] === null ? "cannot_say" : before[0] === before[1] ? "tie" : before[0] > before[1] ? "first" : "second") : null;
}

function digits(sheet) {
  const w = words();
  const [low, high] = sheet.scale;
  const buttons = [];
  for (let value = low; value <= high; value += 1)
    buttons.push(el("button", { type: "button", className: scores[active] === value ? "chosen" : "", on: () => score(value) }, String(value)));
  buttons.push(el("button", { type: "button", className: "word", on: () => score(null) }, el("kbd", {}, "X"), w.cannot));
  sheet.candidates.forEach((_, index) => at(`answer-${index}`).classList.toggle("active", index === active && sheet.candidates.length > 1));
  return [el("p", { className: "side" }, w.scoring(active + 1, sheet.candidates.length)), el("div", { className: "choices digits" }, ...buttons), aside()];
}

function aside() {
  const w = words();
  const field = el("input", { id: "comment", maxLength: 4000, placeholder: w.comment, "aria-label": w.comment, value: comment, autocomplete: "off" });
  field.addEventListener("input", () => { comment = field.value; });
  const undo = el("button", { type: "button", id: "undo", className: "word", disabled: !turn.may_take_back, on: takeBack }, el("kbd", {}, "Z"), w.undo);
  return el("div", { className: "aside" }, field, undo);
}

function end() {
  const w = words();
  if (!turn.sheets) return el("div", { className: "desk" }, el("h2", {}, w.none));
  const body = el("div", { className: "desk" }, el("h2", {}, w.done));
  if (!found) {
    body.append(el("p", { className: "what" }, w.doneHint), el("button", { className: "main", id: "show", type: "button", on: () => agreement() }, w.show));
    return body;
  }
  const row = (tag, cells) => el("tr", {}, ...cells.map((cell, index) => el(tag, { className: index ? "n" : "" }, cell)));
  const table = (head, rows) => el("table", {}, el("thead", {}, row("th", head)), el("tbody", {}, ...rows.map((cells) => row("td", cells))));
  const number = (value) => (value === null ? "–" : value.toFixed(2).replace("-", "−"));
  body.append(table([w.reviewer, w.judged, w.cannot], found.reviewers.map((one) => [one.reviewer, w.of(one.judged, one.sheets), String(one.cannot_say)])));
  if (!found.agreement) body.append(el("p", { className: "what" }, w.wait));
  else {
    const share = (value) => (value === null ? "–" : `${(100 * value).toFixed(1)}%`);
    body.append(table(["", w.both, w.agree, w.kappa], found.agreement.pairs.map((two) =>
      [two.reviewers.join(" · "), String(two.compared), share(two.agree_share), number(two.kappa)])),
      el("p", { className: "what", id: "alpha" }, `${w.alpha}: ${number(found.agreement.alpha)}`));
  }
  return body;
}

function keys() {
  const w = words();
  const lines = [...(turn?.sheet?.scale ? w.keysScale : w.keysPair), ...w.keysAll];
  at("help").replaceChildren(el("h3", {}, w.help), el("dl", {}, ...lines.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)])));
}

// -- what is said -------------------------------------------------------------------------------------------------

async function ask(act, body) {
  if (busy) return null;
  busy = true;
  document.body.classList.add("busy");
  try {
    const reply = await fetch(act, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ reviewer: turn?.reviewer ?? undefined, ...body }) });
    const told = await reply.json();
    if (!reply.ok) throw new Error([told.error, told.hint].filter(Boolean).join(": "));
    at("trouble").hidden = true;
    if (act === "agreement") { found = told; turn.may_take_back &&= !told.agreement; show(); return told; }
    take(told);
    return told;
  } catch (error) {
    at("trouble").textContent = error instanceof TypeError || error instanceof SyntaxError ? words().trouble : error.message;
    at("trouble").hidden = false;
    return null;
  } finally {
    busy = false;
    document.body.classList.remove("busy");
  }
}

function take(told) {
  turn = told;
  if (turn.reviewer) kept(session, "tilth-reviewer", turn.reviewer);
  scores = turn.sheet?.scale && turn.before ? [...turn.before.values] : [];
  comment = turn.before?.comment ?? "";
  [active, found, looked, since] = [0, null, 0, document.hidden ? null : performance.now()];
  for (const id of ["reference", "rubric"]) if (at(id)) at(id).open = false;
  show();
  window.scrollTo(0, 0);
  at("dock").querySelector("input")?.blur();
  if (turn.sheet) at("sheet").focus({ preventScroll: true });
}

function judge(answer) {
  const sheet = turn?.sheet;
  if (!sheet || busy) return;
  at(answer)?.classList.add("chosen");
  const seconds = (looked + (since === null ? 0 : performance.now() - since)) / 1000;
  ask("judge", { sheet: sheet.key, order: sheet.order, answer, comment, seconds }).then((told) => { if (!told) show(); });
}

function score(value) {
  const count = Math.max(1, turn.sheet.candidates.length);
  scores[active] = value;
  const missing = Array.from({ length: count }, (_, index) => index).filter((index) => scores[index] === undefined);
  if (!missing.length) { show(); judge(scores.slice(0, count)); }
  else move(missing.find((index) => index > active) ?? missing[0]);
}

function move(to) {
  active = Math.min(Math.max(to, 0), Math.max(1, turn.sheet.candidates.length) - 1);
  show();
  at(`answer-${active}`)?.scrollIntoView({ block: "nearest" });
}

function takeBack() { if (turn?.may_take_back) ask("take-back", {}); }
function agreement() { if (turn && !turn.sheet && turn.sheets) ask("agreement", {}); }
function speak() { speech = speech === "zh" ? "en" : "zh"; kept(always, "tilth-speech", speech); show(); }

// -- keys ---------------------------------------------------------------------------------------------------------

function pressed(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target instanceof HTMLInputElement) {
    if (event.target.id === "comment" && (key === "Enter" || key === "Escape")) event.target.blur();
    return;
  }
  if (at("help").open) { if (key === "?") at("help").close(); return; }
  if (event.repeat) return; // a key held down judges one sheet
  const act = { "?": help, "？": help, z: takeBack, l: speak, m: () => { formatted = !formatted; show(); }, r: () => fold("reference"), c: () => at("comment")?.focus() }[key];
  if (act) { event.preventDefault(); act(); return; }
  if (event.target instanceof HTMLButtonElement && key === "Enter") return;
  if (!turn?.sheet) { if (key === "Enter" && turn?.reviewer) agreement(); return; }
  const said = turn.sheet.scale ? scoreKey(key) : ARROWS[key] && (() => judge(ARROWS[key]));
  if (said) { event.preventDefault(); said(); }
}

function scoreKey(key) {
  const [low, high] = turn.sheet.scale, count = Math.max(1, turn.sheet.candidates.length);
  const value = /^\d$/.test(key) ? (key === "0" && high === 10 ? 10 : Number(key)) : NaN;
  if (value >= low && value <= high) return () => score(value);
  if (key === "x") return () => score(null);
  if (key === "ArrowDown" && count > 1) return () => move(active + 1);
  if (key === "ArrowUp" && count > 1) return () => move(active - 1);
  const whole = Array.from({ length: count }, (_, index) => scores[index]).every((one) => one !== undefined);
  return key === "Enter" && whole ? () => judge(scores.slice(0, count)) : null;
}

function help() { at("help").showModal(); }
function fold(id) { const part = at(id); if (part) { part.open = !part.open; part.scrollIntoView({ block: "nearest" }); } }

document.addEventListener("keydown", pressed);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { looked += since === null ? 0 : performance.now() - since; since = null; }
  else since = performance.now();
});
at("speech").addEventListener("click", speak);
at("ask").addEventListener("click", help);
at("who").addEventListener("click", () => ask("turn", { reviewer: null }));
at("help").addEventListener("click", (event) => { if (event.target === at("help")) at("help").close(); });
show();
ask("turn", { reviewer: kept(session, "tilth-reviewer") }).then((told) => told ?? ask("turn", { reviewer: null })); // it may be another's page now
