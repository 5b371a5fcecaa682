// Sentences with names in backticks, as the server writes them, as nodes: nothing of them is markup.

/** The sentence with a capital first letter, what stands between backticks as code. */
export function prose(text) {
  const line = document.createElement("span");
  text.split(/(`[^`]*`)/).filter(Boolean).forEach((part, at) => {
    if (/^`.*`$/s.test(part)) {
      const code = document.createElement("code");
      code.textContent = part.slice(1, -1);
      line.append(code);
    } else {
      line.append(at === 0 ? part[0].toUpperCase() + part.slice(1) : part);
    }
  });
  return line;
}
