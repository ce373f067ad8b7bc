// How well two texts share words: the search there is without an embedder, and a small addend where there is one,
// because names and numbers (ticket 1042, C-0212) say little to an embedding. It looks at the two texts and at
// nothing else, so that no third text can move the order.

const STOP_WORDS = new Set(
  "a about all an and any are as at be but by can do does for from has have he her his how i if in is it its me my no not of on or our please she so that the their them then they this to us was we were what when which who will with you your".split(
    " ",
  ),
);

const wordsOf = (text: string): ReadonlySet<string> =>
  new Set((text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !STOP_WORDS.has(word)));

/** 0 (no word in common) to 1 (the same words): shared words over the geometric mean of the two word counts. */
export function keywordOverlap(left: string, right: string): number {
  const [few, many] = [wordsOf(left), wordsOf(right)].sort((a, b) => a.size - b.size) as [Set<string>, Set<string>];
  const shared = [...few].filter((word) => many.has(word)).length;
  return shared === 0 ? 0 : shared / Math.sqrt(few.size * many.size);
}
