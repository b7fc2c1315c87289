using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Resources.Api.Tests;

/// <summary>Members, parameters and methods that the API description does not list, for every operation.</summary>
public sealed class DescribedRequestTests(MatrixWorld world) : IClassFixture<MatrixWorld>
{
    static readonly string[] NotTheClients =
    [
        "id",
        "owner",
        "ownerId",
        "version",
        "createdAt",
        "createdBy",
        "updatedAt",
        "deletedAt",
        "roles",
        "permissions",
        "isAdmin",
        "tenantId",
        "_etag",
        "emailVerified",
        "disabled",
        "passwordHash",
        "secret",
    ];

    [Fact]
    [Trait("Conformance", "C3")]
    public async Task Bodies_cannot_set_members_of_the_server()
    {
        var wrong = new List<string>();
        foreach (var (row, operation) in world.Rows.Where(each => each.Row.Body is not null))
        {
            var about = await world.MakeAsync(row.Of);
            foreach (var member in NotTheClients.Except(operation.Members))
            {
                var body = JsonNode.Parse(row.Body!)!.AsObject();
                body[member] =
                    member is "roles" or "permissions" ? new JsonArray("admin")
                    : member is "isAdmin" or "emailVerified" or "disabled" ? true
                    : "1";
                var answer = await MatrixWorld.SendAsync(
                    row,
                    operation,
                    row.By is Row.Open ? world.Actors[0].Caller : world.Admin.Caller,
                    about,
                    body.ToJsonString()
                );
                if (answer.Status is not 400 || !answer.Faults.Contains("/" + member))
                    wrong.Add($"{operation.Id} with {member}: {answer}");
            }
            if (row.Of is Row.Resource)
                Assert.Equal(
                    "1",
                    (await world.OwnerCaller.GetAsync($"/api/v1/resources/{about}")).Text("/data/version")
                );
        }
        var target = $"/api/v1/resources/{await world.MakeAsync(Row.Resource)}";
        foreach (var member in NotTheClients)
        {
            var answer = await world.OwnerCaller.SendAsync(
                "PATCH",
                target,
                $$"""[{"op":"add","path":"/{{member}}","value":"1"}]""",
                "application/json-patch+json"
            );
            if (answer.Status is not (400 or 422))
                wrong.Add($"JSON Patch of {member}: {answer}");
        }
        Assert.Equal("1", (await world.OwnerCaller.GetAsync(target)).Text("/data/version"));
        Assert.True(wrong is [], string.Join("\n\n", wrong));
    }

    [Fact]
    [Trait("Conformance", "C7")]
    [Trait("Conformance", "D11")]
    public async Task Only_described_parameters_within_their_bounds_are_accepted()
    {
        var wrong = new List<string>();
        foreach (
            var (row, operation) in world.Rows.Where(each =>
                each.Operation.Path.StartsWith("/api/v1", StringComparison.Ordinal) && !each.Row.Spends
            )
        )
        {
            var faulty = new List<string> { "passwordHash=1" };
            // A limit that is too large counts as the largest.
            if (operation.Query.Contains("limit"))
                faulty.AddRange(["limit=-1", "limit=0", "limit=abc", "limit=1.5", "limit="]);
            if (operation.Query.Contains("cursor"))
                faulty.AddRange(["cursor=abc", "cursor=AAAA"]);
            if (operation.Query.Contains("after") && row.Code is not "UPGRADE_REQUIRED")
                faulty.AddRange(["after=-1", "after=abc"]);
            if (operation.Query.Contains("sort"))
                faulty.AddRange(["sort=passwordHash", "sort=metadata.password"]);
            if (operation.Query.Contains("fields"))
                faulty.AddRange(["fields=passwordHash"]);
            var caller =
                row.By is Row.Open ? world.Actors[0].Caller
                : row.Of is Row.Key or Row.Session ? world.OwnerCaller
                : world.Admin.Caller;
            foreach (var query in faulty)
            {
                var answer = await MatrixWorld.SendAsync(
                    row,
                    operation,
                    caller,
                    world.Shared(row.Of),
                    query: "?" + query
                );
                if (answer.Status is not 400 || !answer.Faults.Contains("?" + query.Split('=')[0]))
                    wrong.Add($"{operation.Id} ?{query}: {answer}");
            }
        }
        Assert.True(wrong is [], string.Join("\n\n", wrong));
    }

    [Fact]
    [Trait("Conformance", "C5")]
    [Trait("Conformance", "E6")]
    public async Task Undescribed_methods_are_refused()
    {
        string[] methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        foreach (
            var path in world
                .Operations.Where(operation => operation.Path.StartsWith("/api/v1", StringComparison.Ordinal))
                .GroupBy(operation => operation.Path)
        )
        {
            var address = MatrixWorld.PathOf(path.First(), MatrixWorld.Absent(null));
            // A fixed word may stand where another pattern has an id.
            var served = world
                .Operations.Where(operation =>
                    Regex.IsMatch(address, $"^{Regex.Replace(operation.Path, @"\{\w+\}", "[^/]+")}$")
                )
                .Select(operation => operation.Method)
                .ToHashSet();
            foreach (var method in methods.Where(method => !served.Contains(method)))
            {
                var answer = await world.Admin.Caller.SendAsync(method, address);
                Assert.True(
                    answer is { Status: 405, Code: "METHOD_NOT_ALLOWED" }
                        && served.Concat(["HEAD", "CONNECT"]).ToHashSet().IsSupersetOf(answer["Allow"]!.Split(", ")),
                    $"{method} {address}: {answer}"
                );
                // Who has to say who they are learns nothing before. A socket is told who is there when it is open.
                Assert.Equal(
                    (
                        address,
                        path.Any(operation =>
                            operation.By == Row.Open
                            || operation.Path.EndsWith("/ws", StringComparison.Ordinal)
                            || operation.Path.EndsWith("/graphql", StringComparison.Ordinal)
                        )
                            ? 405
                            : 401
                    ),
                    (address, (await world.Actors[0].Caller.SendAsync(method, address)).Status)
                );
            }
        }
        var resource = $"/api/v1/resources/{world.Shared(Row.Resource)}";
        foreach (var header in new[] { "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override" })
        {
            Assert.Equal(200, (await world.OwnerCaller.GetAsync(resource, (header, "DELETE"))).Status);
            Assert.Equal(
                404,
                (
                    await world
                        .Actors.Single(actor => actor.Name is "stranger")
                        .Caller.SendAsync("POST", resource + "/restore", null, headers: (header, "GET"))
                ).Status
            );
        }
        Assert.Equal("1", (await world.OwnerCaller.GetAsync(resource)).Text("/data/version"));
    }
}
