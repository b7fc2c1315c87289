using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;

namespace Resources.Api.Tests;

/// <summary>Outcomes of handlers, without a server.</summary>
public sealed class AnswerTests
{
    public static TheoryData<Refusal> Refusals => [.. Enum.GetValues<Refusal>()];

    [Theory, MemberData(nameof(Refusals))]
    public void Every_refusal_has_a_problem_that_is_no_fault_of_the_server(Refusal refusal)
    {
        var type = ProblemType.Of(refusal);

        Assert.Contains(type, ProblemType.All);
        Assert.True(type.Status is >= 400 and < 500 or 503, type.Code);
    }

    [Fact]
    public void A_write_is_answered_with_version_position_and_location()
    {
        var id = Guid.CreateVersion7();
        var now = DateTimeOffset.UnixEpoch;
        var resource = new Resource("t", "n", "active", JsonText.Empty, "o", now, "o", now, "o", null);

        var answer = ResourceEndpoints.Written(id, new(resource, 3, 77, true, null), StatusCodes.Status201Created);

        Assert.Equal(
            (201, "\"3\"", 77L, true, $"/api/v1/resources/{id}"),
            (answer.Status, answer.EntityTag, answer.Position, answer.Replayed, answer.Location)
        );
        Assert.Equal("n", Assert.IsType<Answer<ResourceDocument>>(answer).Data.Name);
    }

    [Fact]
    public async Task Headers_of_an_answer_are_written_whatever_their_order()
    {
        var context = new DefaultHttpContext { RequestServices = new ServiceCollection().BuildServiceProvider() };

        await Api.Answer.NotModified("\"7\"", 42).ExecuteAsync(context);

        Assert.Equal(304, context.Response.StatusCode);
        Assert.Equal("\"7\"", context.Response.Headers.ETag);
        Assert.Equal("42", context.Response.Headers["Position"]);
        Assert.Equal("private, no-cache", context.Response.Headers.CacheControl);
    }
}
