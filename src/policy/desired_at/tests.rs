use super::*;

#[test]
fn an_answer_is_worked_out_once_and_so_many_are_kept_at_most() {
    let mut answers = HashMap::new();
    assert_eq!(known(&mut answers, 0, || "worked out"), "worked out");
    assert_eq!(known(&mut answers, 0, || "again"), "worked out");
    for question in 0..MOST_KEPT {
        known(&mut answers, question, || "other");
    }
    assert_eq!(answers.len(), MOST_KEPT);
    known(&mut answers, MOST_KEPT, || "one more");
    assert_eq!(answers.len(), 1);
}
