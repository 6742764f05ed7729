//! Lists of rows that never change, as PostgreSQL's COPY writes them: a head line, then a line for each row with its
//! cells between tabs, NULL as `\N`.

/// The rows of a list: for each row its cells, `None` for NULL, beside the names of the head line.
pub(super) fn read(list: &'static str) -> (Vec<&'static str>, Vec<Vec<Option<&'static str>>>) {
    let mut lines = list.lines();
    let names = lines.next().unwrap_or_default().split('\t').collect();
    let cell = |text| if text == "\\N" { None } else { Some(text) };
    (names, lines.map(|line| line.split('\t').map(cell).collect()).collect())
}

/// The items of an array, `{a,b}`, or of a vector, `1 2`. No item of the lists needs quotes.
pub(super) fn items(text: &str) -> Vec<&str> {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let (inner, comma) = inner.map_or((text, ' '), |inner| (inner, ','));
    inner.split(comma).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read() {
        let (names, rows) = read("oid\tname\n1\t\\N\n2\tx\n");
        assert_eq!(names, ["oid", "name"]);
        assert_eq!(rows, [vec![Some("1"), None], vec![Some("2"), Some("x")]]);
        assert_eq!(items("{1,2}"), ["1", "2"]);
        assert_eq!(items("1 2"), ["1", "2"]);
        assert!(items("{}").is_empty() && items("").is_empty());
    }
}
