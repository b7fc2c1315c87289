using System.Text.Json;

namespace Resources.Api.Tests;

/// <summary>Members of responses, compared with the API description.</summary>
public sealed class ResponseMemberTests(Backend backend)
{
    [Fact]
    [Trait("Conformance", "C4")]
    public async Task Responses_have_exactly_the_described_members()
    {
        var document = (await backend.Guest.GetAsync("/openapi/v1.json")).At("")!.Value;
        var person = await backend.CreatePersonAsync("author");
        var owner = (await person.LoginAsync()).Caller;
        var made = await owner.SendAsync("POST", "/api/v1/resources", """{"name":"seen","metadata":{"a":1}}""");
        foreach (
            var (path, described, callers) in new[]
            {
                (made["Location"]!, "/api/v1/resources/{id}", new[] { owner, backend.User, backend.Admin }),
                ($"/api/v1/users/{person.Id}", "/api/v1/users/{id}", [backend.Admin]),
                ("/api/v1/me", "/api/v1/me", [owner, backend.User, backend.Admin]),
            }
        )
        {
            var schema = Resolve(
                document,
                Resolve(
                        document,
                        document
                            .GetProperty("paths")
                            .GetProperty(described)
                            .GetProperty("get")
                            .GetProperty("responses")
                            .GetProperty("200")
                            .GetProperty("content")
                            .GetProperty("application/json")
                            .GetProperty("schema")
                    )
                    .GetProperty("properties")
                    .GetProperty("data")
            );
            var members = schema
                .GetProperty("properties")
                .EnumerateObject()
                .Select(member => member.Name)
                .Order(StringComparer.Ordinal)
                .ToArray();
            foreach (var caller in callers)
            {
                var answer = await caller.GetAsync(path);
                Assert.Equal(200, answer.Status);
                Assert.Equal(
                    members,
                    answer
                        .At("/data")!
                        .Value.EnumerateObject()
                        .Select(member => member.Name)
                        .Order(StringComparer.Ordinal)
                );
            }
        }
    }

    static JsonElement Resolve(JsonElement document, JsonElement schema) =>
        schema.TryGetProperty("$ref", out var reference)
            ? reference.GetString()!.Split('/').Skip(1).Aggregate(document, (at, step) => at.GetProperty(step))
            : schema;
}
