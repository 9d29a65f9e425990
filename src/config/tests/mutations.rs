//! Whatever somebody types into a good file, the answer is a config or a list of mistakes.

use proptest::prelude::*;

use super::*;

/// What one mutation does to a text.
#[derive(Clone, Debug)]
enum Mutation {
    Delete(prop::sample::Index, usize),
    Insert(prop::sample::Index, String),
    Repeat(prop::sample::Index, usize),
}

impl Mutation {
    fn apply(&self, text: &str) -> String {
        let mut chars: Vec<char> = text.chars().collect();
        let at = |index: &prop::sample::Index| index.index(chars.len() + 1);
        match self {
            Self::Delete(index, count) => {
                let from = at(index);
                let until = (from + count).min(chars.len());
                chars.drain(from..until);
            }
            Self::Insert(index, piece) => {
                let at = at(index);
                chars.splice(at..at, piece.chars());
            }
            Self::Repeat(index, count) => {
                let from = at(index);
                let until = (from + count).min(chars.len());
                let piece = chars[from..until].to_vec();
                chars.splice(from..from, piece);
            }
        }
        chars.into_iter().collect()
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let piece = prop_oneof![
        any::<String>(),
        "[\"'\\[\\]{}=,.#*/?!@:\n\\\\ 0-9a-zL-]{1,6}",
        prop::sample::select(vec![
            "[[window]]\n",
            "[nats]\n",
            "[",
            "]]",
            "\"\"\"",
            "'''",
            "99999999999999999999",
            "1e999",
            "2026-10-25",
            "2011-12-30",
            "0000-01-01",
            "9999-12-31",
            "2026-10-25T02:30:00",
            "2026-03-29T02:30:00.5",
            "9999-12-31T23:59:59-23:59",
            "2026-12-06 04:00:00Z",
            "T24:00:00",
            "23:59:60",
            "03:30",
            "\"24:00\"",
            "until = ",
            "from = ",
            "dates = [",
            "[2026-12-25, 2026-12-25]",
            "[[exclusion]]\n",
            "valid_from = ",
            "nan",
            "\u{feff}",
            "\r\n",
            "\0",
            "ä",
            "@",
            "{a,b}",
            "L",
            "#9",
            "*/0",
            "1-0",
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        (any::<prop::sample::Index>(), 1..40usize)
            .prop_map(|(at, count)| Mutation::Delete(at, count)),
        (any::<prop::sample::Index>(), piece).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        (any::<prop::sample::Index>(), 1..80usize)
            .prop_map(|(at, count)| Mutation::Repeat(at, count)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_it_panic(mutations in prop::collection::vec(mutation(), 1..6)) {
        let text = mutations.iter().fold(GOOD.to_owned(), |text, mutation| mutation.apply(&text));
        if let Err(error) = parse(&text) {
            prop_assert!(!error.findings().is_empty());
            prop_assert!(error.to_string().contains("error"), "{}", error);
            error.render(true);
        }
    }

    #[test]
    fn no_time_of_day_makes_it_panic(text in "[0-9: .a-zäT-]{0,12}") {
        let _ = date_time::parse_time(&text);
    }

    #[test]
    fn no_length_makes_it_panic(text in "[0-9]{0,22}[a-zµM. ]{0,4}[0-9]{0,22}[a-z ]{0,6}") {
        let _ = length::parse(&text);
    }
}
