/** The number of words in a text. */
export function words(text) {
  return text.split(/\s+/).filter(Boolean).length;
}
