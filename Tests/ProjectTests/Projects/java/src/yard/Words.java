package yard;

/** Counts words. */
final class Words {
    private Words() {}

    static long count(String text) {
        return text.isBlank() ? 0 : text.strip().split("\\s+").length;
    }
}
