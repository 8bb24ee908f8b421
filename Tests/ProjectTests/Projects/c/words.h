/* Counts the words of a text. */
unsigned count_words(const char *text);
