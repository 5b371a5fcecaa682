// Where the cursor stands: the path of keys and indices, and whether a key or a value is being written there.
import { treeTo, unquote, valuesIn } from "./pointer.js";

function closest(node, name) {
  let at = node;
  while (at && at.name !== name) at = at.parent;
  return at;
}

/** The path to `node`: keys are texts, indices numbers. */
export function pathTo(state, node) {
  const path = [];
  for (let at = node; at?.parent; at = at.parent) {
    if (at.name === "Property") {
      const name = at.getChild("PropertyName");
      if (name && node !== at) path.unshift(unquote(state.sliceDoc(name.from, name.to)));
    } else if (at.parent.name === "Array") {
      path.unshift(valuesIn(at.parent).filter((value) => value.to <= at.from).length);
    }
  }
  return path;
}

/** The keys that the object `node` has already. */
export function keysOf(state, node) {
  return node.getChildren("Property").flatMap((property) => {
    const name = property.getChild("PropertyName");
    return name ? [unquote(state.sliceDoc(name.from, name.to))] : [];
  });
}

function afterColon(state, pos) {
  return /:\s*$/.test(state.sliceDoc(Math.max(0, pos - 40), pos));
}

/** `{ object }` where a key of it is being written, `{ path }` where a value is; nothing anywhere else. */
export function placeAt(state, pos, from) {
  const node = treeTo(state, pos).resolveInner(pos, -1);
  const keyed = node.name === "PropertyName" || (node.name === "⚠" && node.parent?.name === "Object");
  const object = node.name === "Object" ? node : keyed ? closest(node, "Object") : null;
  if (object && !afterColon(state, from)) return { object };
  if (node.name === "Property") {
    return { path: [...pathTo(state, node.parent), unquote(state.sliceDoc(node.firstChild.from, node.firstChild.to))] };
  }
  if (object) {
    // Behind a colon that nothing follows yet: the key is the last one before it.
    const key = /"((?:[^"\\]|\\.)*)"\s*:\s*$/.exec(state.sliceDoc(object.from, from))?.[1];
    return key === undefined ? null : { path: [...pathTo(state, object), key] };
  }
  if (node.name === "Array") {
    return { path: [...pathTo(state, node), valuesIn(node).filter((value) => value.to <= pos).length] };
  }
  return closest(node, "Property") || closest(node, "Array") ? { path: pathTo(state, node) } : null;
}
