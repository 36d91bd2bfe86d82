//! Lists in pages.

use acs_client::{AcsError, Call, Caller, Paging};
use oss_credentials_core::blocking;
use oss_credentials_http::test_util::ScriptedHttp;

use crate::common::*;

/// How many pages there are, and what was asked for them.
fn walk(service: &ScriptedHttp, paging: Paging) -> (Result<usize, AcsError>, Vec<String>) {
    let client = client(service).build().unwrap();
    let mut pages = client.pages(Call::rpc("List").query("Filter", "x"), paging);
    let mut count = 0;
    let outcome = loop {
        match blocking::wait(pages.next_as(Caller::Unsigned(&[]))) {
            None => break Ok(count),
            Some(Ok(_)) => count += 1,
            Some(Err(error)) => break Err(error),
        }
    };
    let common = ["Action", "Format", "Timestamp", "Version"];
    let queries = service.requests().into_iter().map(|request| {
        let query = decode(request.url().split_once('?').unwrap().1);
        let own = query.iter().filter(|(name, _)| !common.contains(&name.as_str()));
        own.map(|(name, value)| format!("{name}={value}"))
            .collect::<Vec<_>>()
            .join("&")
    });
    let queries = queries.collect();
    if outcome.is_err() {
        assert!(
            blocking::wait(pages.next_as(Caller::Unsigned(&[]))).is_none(),
            "an error ends the list"
        );
    }
    (outcome, queries)
}

#[test]
fn a_token_leads_to_the_next_page_until_there_is_none() {
    for last in ["{}", r#"{"NextToken": ""}"#, r#"{"NextToken": null}"#] {
        let service = ScriptedHttp::new()
            .answers(200, r#"{"NextToken": "a b"}"#)
            .answers(200, r#"{"NextToken": "c"}"#)
            .answers(200, last);
        let (count, queries) = walk(&service, Paging::token("NextToken"));
        assert_eq!(count.unwrap(), 3);
        assert_eq!(
            queries,
            ["Filter=x", "Filter=x&NextToken=a b", "Filter=x&NextToken=c"]
        );
    }
    let service = ScriptedHttp::new()
        .answers(200, r#"{"data": {"next": "n"}}"#)
        .answers(200, "{}");
    let (count, queries) = walk(&service, Paging::token("token").token_member("data.next"));
    assert_eq!((count.unwrap(), &*queries[1]), (2, "Filter=x&token=n"));
}

#[test]
fn a_token_that_leads_back_to_its_page_ends_the_list_with_an_error() {
    let same = r#"{"Marker": "m"}"#;
    let service = ScriptedHttp::new().answers(200, same).answers(200, same);
    let (outcome, _) = walk(&service, Paging::token("Marker"));
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.contains("the response to List has the token of its own page"),
        "{text}"
    );
}

#[test]
fn tokens_that_form_a_loop_end_the_list_with_an_error() {
    // a, b, c, b, c, and so on: without a check, forever.
    let service = (0..100).fold(
        ScriptedHttp::new().answers(200, r#"{"Marker": "a"}"#),
        |service, page| {
            let token = ["b", "c"][page % 2];
            service.answers(200, format!(r#"{{"Marker": "{token}"}}"#))
        },
    );
    let (outcome, queries) = walk(&service, Paging::token("Marker"));
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.contains("the response to List has the token of an earlier page"),
        "{text}"
    );
    assert!(queries.len() <= 6, "{queries:?}");
}

/// As where the parameter for the token has another name: the first page, each time with a token of its own.
#[test]
fn new_tokens_with_the_same_items_end_the_list_with_an_error() {
    let page = |number: usize, items: &str| {
        format!(r#"{{"RequestId": "R-{number}", "NextToken": "t{number}", "Tags": {items}, "Columns": []}}"#)
    };
    let service = (1..=101).fold(ScriptedHttp::new(), |service, number| {
        service.answers(200, page(number, r#"["a", "b"]"#))
    });
    let (outcome, queries) = walk(&service, Paging::token("NextToken"));
    let text = outcome.unwrap_err().to_string();
    assert!(
        text.contains("the last 100 responses to List contain the same items, each with another token"),
        "{text}"
    );
    assert_eq!(queries.len(), 100);

    // A filter that finds nothing for a long time, and a last page that repeats the items of others.
    let service = (1..=150).fold(ScriptedHttp::new(), |service, number| {
        service.answers(200, page(number, "[]"))
    });
    let service = (151..=249).fold(service, |service, number| {
        service.answers(200, page(number, r#"["a"]"#))
    });
    let service = service.answers(200, r#"{"Tags": ["a"]}"#);
    assert_eq!(walk(&service, Paging::token("NextToken")).0.unwrap(), 250);
}

#[test]
fn debug_shows_no_token() {
    let service = ScriptedHttp::new().answers(200, r#"{"Marker": "canary"}"#);
    let client = client(&service).build().unwrap();
    let call = Call::rpc("List").query("Filter", "canary");
    let mut pages = client.pages(call, Paging::token("Marker"));
    blocking::wait(pages.next_as(Caller::Unsigned(&[])))
        .unwrap()
        .unwrap();
    let shown = format!("{pages:?}");
    assert!(shown.contains("List") && shown.contains("Marker"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}

/// `items` and a total that grows with each page, all of them different from the page before only in what is no item.
fn growing(pages: usize, items: &str) -> ScriptedHttp {
    (1..=pages).fold(ScriptedHttp::new(), |service, page| {
        let total = page * 1000;
        let body = format!(
            r#"{{"RequestId": "R-{page}", "PageNumber": {page}, "TotalCount": {total}, "Users": {{"User": {items}}}}}"#
        );
        service.answers(200, body)
    })
}

#[test]
fn a_total_that_no_items_fulfill_ends_the_list_with_an_error() {
    // No items, and the items of the first page again and again, as where the parameter has another name.
    for items in ["[]", r#"[{"UserName": "a"}]"#] {
        let service = growing(101, items);
        let (outcome, queries) = walk(&service, Paging::number(10));
        let text = outcome.unwrap_err().to_string();
        assert!(
            text.contains(
                "the last 100 responses to List contain the same items or none, and the total announces more"
            ),
            "{text}"
        );
        assert_eq!(queries.len(), 100);
    }
    let empty = format!(r#"{{"TotalCount": {}, "Users": []}}"#, u64::MAX);
    let service = (0..101).fold(ScriptedHttp::new(), |service, _| service.answers(200, &empty));
    assert!(walk(&service, Paging::number(10)).0.is_err());
    assert_eq!(service.requests().len(), 100);
}

#[test]
fn empty_pages_between_others_are_no_end() {
    let page = |items: &str| format!(r#"{{"TotalCount": 2000, "Users": {items}}}"#);
    let mut service = ScriptedHttp::new();
    for number in 1..=200 {
        // 99 empty pages, one with an item, and so on.
        let items = if number % 100 == 0 { r#"["user"]"# } else { "[]" };
        service = service.answers(200, page(items));
    }
    assert_eq!(walk(&service, Paging::number(10)).0.unwrap(), 200);
}

#[test]
fn numbers_count_up_to_the_total() {
    let page = r#"{"TotalCount": 25}"#;
    let service = ScriptedHttp::new()
        .answers(200, page)
        .answers(200, page)
        .answers(200, page);
    let (count, queries) = walk(&service, Paging::number(10));
    assert_eq!(count.unwrap(), 3);
    assert_eq!(
        queries,
        [
            "Filter=x&PageNumber=1&PageSize=10",
            "Filter=x&PageNumber=2&PageSize=10",
            "Filter=x&PageNumber=3&PageSize=10"
        ]
    );
    for (body, total) in [(r#"{"TotalCount": 0}"#, 1), (r#"{"TotalCount": 10}"#, 1)] {
        let service = ScriptedHttp::new().answers(200, body);
        assert_eq!(walk(&service, Paging::number(10)).0.unwrap(), total);
    }
    let service = ScriptedHttp::new().answers(200, r#"{"page_info": {"total_count": 1}}"#);
    let names = Paging::number(50).number_names("page_number", "page_size", "page_info.total_count");
    let (count, queries) = walk(&service, names);
    assert_eq!(
        (count.unwrap(), &*queries[0]),
        (1, "Filter=x&page_number=1&page_size=50")
    );

    let service = ScriptedHttp::new().answers(200, "<html>canary</html>");
    let text = walk(&service, Paging::number(10)).0.unwrap_err().to_string();
    assert!(text.contains("the response to List is HTML or XML"), "{text}");

    let service = ScriptedHttp::new().answers(200, "{}");
    let text = walk(&service, Paging::number(10)).0.unwrap_err().to_string();
    assert!(text.contains("the response to List has no TotalCount"), "{text}");
}

#[test]
fn a_page_size_that_the_service_lowers_does_not_end_the_list_early() {
    for (page, names) in [
        (r#"{"TotalCount": 120, "PageSize": 50}"#, None),
        (
            r#"{"page_info": {"total_count": 120, "page_size": 50}, "page_size": 7}"#,
            Some(("page_number", "page_size", "page_info.total_count")),
        ),
    ] {
        let mut service = ScriptedHttp::new();
        for _ in 0..3 {
            service = service.answers(200, page);
        }
        let paging = match names {
            None => Paging::number(100),
            Some((number, size, total)) => Paging::number(100).number_names(number, size, total),
        };
        assert_eq!(walk(&service, paging).0.unwrap(), 3, "{page}");
        assert_eq!(service.left(), 0);
    }
    // No size of a page.
    let service = ScriptedHttp::new().answers(200, r#"{"TotalCount": 5, "PageSize": 0}"#);
    assert_eq!(walk(&service, Paging::number(10)).0.unwrap(), 1);
}
