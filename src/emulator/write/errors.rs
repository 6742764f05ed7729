//! What is wrong with the values of a call, by parameter (K§5.2).

use super::super::reply::Failure;

/// Messages by parameter, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<(String, Vec<String>)>);

impl Errors {
    pub(super) fn add(&mut self, key: String, message: impl Into<String>) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, messages)) => messages.push(message.into()),
            None => self.0.push((key, vec![message.into()])),
        }
    }

    pub(super) fn extend(&mut self, other: Self) {
        for (key, messages) in other.0 {
            messages.into_iter().for_each(|message| self.add(key.clone(), message));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `CB_VA01` where there is any.
    pub(super) fn into_result(self) -> Result<(), Failure> {
        if self.0.is_empty() { Ok(()) } else { Err(Failure::invalid_many(self.0)) }
    }
}

/// Why a value is refused.
pub(super) struct Fault {
    part: Part,
    messages: Vec<String>,
}

/// What of a value is at fault, which decides the parameter's name.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Value,
    NotANumber,
    Values,
    Item(usize),
    Person,
}

impl Fault {
    pub(super) fn new(part: Part, message: impl Into<String>) -> Self {
        Self { part, messages: vec![message.into()] }
    }

    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new(Part::Value, message)
    }

    /// Another thing that is wrong with the same part.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.messages.extend(other.messages);
        self
    }

    /// Whether Kintone then goes on as if nothing had been entered, so that a required field is missing too.
    pub(super) fn leaves_nothing(&self) -> bool {
        matches!(self.part, Part::NotANumber | Part::Item(_))
    }

    /// Notes it down. `at` is where the field's record or row stands in the call.
    pub(super) fn note(self, at: &str, code: &str, errors: &mut Errors) {
        let key = match self.part {
            Part::Value => format!("{at}.{code}.value"),
            Part::NotANumber => format!("{at}[{code}].value"),
            Part::Values => format!("{at}.{code}.values"),
            Part::Item(index) => format!("{at}.{code}.values[{index}].value"),
            Part::Person => format!("{at}.{code}.values.value"),
        };
        self.messages.into_iter().for_each(|message| errors.add(key.clone(), message));
    }
}
