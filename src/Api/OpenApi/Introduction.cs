using System.Text;

namespace Resources.Api;

/// <summary>What the reference begins with: the first requests, what holds for all of them, and the codes of problems.</summary>
static class Introduction
{
    const string Start = """
        An event-sourced resource server: JSON documents with their full history, lists of them, and live streams of events.

        ## Getting started

        Sign in, create a resource, list resources, and follow their events:

        ```sh
        API=http://localhost:8080/api/v1

        # Get a token: "accessToken" in the response. The first start of the server prints the password.
        curl $API/auth/login -H 'Content-Type: application/json' \
          -d '{"email":"admin@localhost","password":"the password that was printed"}'
        TOKEN=the-access-token

        # Create a resource. The key makes a retry safe.
        curl $API/resources -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -H 'Idempotency-Key: first' \
          -d '{"name":"Blue bicycle","type":"bicycle","metadata":{"price":250}}'

        # List resources, with a filter. The list has every write that was acknowledged before.
        curl -G $API/resources -H "Authorization: Bearer $TOKEN" --data-urlencode 'filter=metadata.price < 300'

        # Stream events from the beginning of the log, and then live.
        curl -N $API/events -H "Authorization: Bearer $TOKEN" -H 'Accept: text/event-stream'
        ```

        Access tokens are short-lived: `POST /api/v1/auth/refresh` returns new ones. Programs use API keys in their place.

        ## Conventions

        - **Responses** are JSON: `success`, `data` and `meta`, or a problem document (RFC 9457) with a stable `code`.
        - **Requests** with unknown parameters or members are rejected. An optional member is left out; it is null only where its schema says so.
        - **Versions** are entity tags. Send `If-Match` with a write, so that it does not overwrite what others have changed.
        - **PATCH** takes a merge patch (RFC 7396), as `application/merge-patch+json` or as `application/json`.
        - **Retries** are safe with an `Idempotency-Key`.
        - **Pages**: send `meta.page.next` as `cursor`, or as `after` for events, until it is null.
        - **Streams** are server-sent events. Their `id` is a log position; send it as `Last-Event-ID` to continue.
        - **HEAD** is accepted wherever GET is.

        ## Problem codes

        `GET /problems` returns this list as JSON.

        | Status | Code | Meaning |
        |---|---|---|

        """;

    public static string Of(ProblemCatalogue problems)
    {
        var text = new StringBuilder(Start);
        foreach (var type in problems.All)
            text.Append("| ")
                .Append(type.Status)
                .Append(" | `")
                .Append(type.Code)
                .Append("` | ")
                .Append(type.Title)
                .Append(" |\n");
        return text.ToString();
    }
}
