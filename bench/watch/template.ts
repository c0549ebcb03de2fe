/** JSON text with gaps: an object is written once and filled in thousands of times. Knows nothing of what the objects are. */

/** Stands for a value inside a string of the object. */
export function gap(name: string): string {
  return `‹${name}›`;
}

/** Stands, as a string of the object, for any JSON. */
export function jsonGap(name: string): string {
  return `‹!${name}›`;
}

/** Fills the gaps of `object`; values are put in as they are, so in strings they must be safe there. */
export function templateOf<Field extends string>(object: unknown): (values: Readonly<Record<Field, string>>) => string {
  const pieces = JSON.stringify(object).split(/"‹!([a-z]+)›"|‹([a-z]+)›/i);
  const first = pieces[0] ?? '';
  const rest: { readonly field: Field; readonly text: string }[] = [];
  // Two groups in the expression, of which one has matched, make three pieces for each gap.
  for (let i = 1; i < pieces.length; i += 3) {
    rest.push({ field: (pieces[i] ?? pieces[i + 1]) as Field, text: pieces[i + 2] ?? '' }); // the caller names what it wrote
  }
  return (values) => {
    let text = first;
    for (const part of rest) text += values[part.field] + part.text;
    return text;
  };
}
