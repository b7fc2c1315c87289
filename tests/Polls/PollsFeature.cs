using System.Text.Json.Serialization;
using Resources.Api;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Polls;

/// <summary>Polls: everything that the server has to know of them.</summary>
public sealed class PollsFeature : Feature
{
    public static readonly ProblemType PollClosed = new("POLL_CLOSED", 409, "The poll is closed");

    public override Tag[] Tags => [new("polls", "Questions with choices. Each account has one vote.")];

    public override NodeFeature Node => new PollsNodeFeature();

    public override JsonSerializerContext Json => PollJson.Default;

    public override ProblemType[] Problems => [PollClosed];

    public override void Add(IServiceCollection services, Settings settings)
    {
        var options = settings.Add<PollOptions>(services, "Polls");
        services.AddSingleton(new RateLimitPolicy(PollEndpoints.VoteLimit, options.Votes));
    }

    public override void Map(IEndpointRouteBuilder root, RouteGroupBuilder api) => api.MapPolls();
}

/// <summary>
/// What nodes without HTTP have of polls: the events and the SQL scripts of this assembly, the permissions and the read
/// model.
/// </summary>
public sealed class PollsNodeFeature : NodeFeature
{
    public const string Create = "poll:create";
    public const string Read = "poll:read";
    public const string Vote = "poll:vote";

    public override IReadOnlyList<PermissionKind> Permissions => [new(Create), new(Read), new(Vote)];

    public override void Add(IServiceCollection services, Settings settings) => services.AddSingleton<PollQueries>();

    public override void AddToSilo(IServiceCollection services) => services.AddSingleton(PollResultsProjection.Model);
}
