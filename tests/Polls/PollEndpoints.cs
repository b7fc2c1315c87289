using System.Text.Json;
using Orleans;
using Resources.Api;
using Resources.Grains;
using Resources.Projections;
using Resources.Silo;

namespace Resources.Polls;

/// <summary>REST for polls.</summary>
static class PollEndpoints
{
    public const string VoteLimit = "poll_votes";

    static readonly Parameter Id = Parameter.Id("id", "The poll's id.");

    public static void MapPolls(this RouteGroupBuilder api)
    {
        var polls = api.MapGroup("/polls").WithTags("polls");
        polls
            .MapPost("", OpenAsync)
            .Require(PollsNodeFeature.Create)
            .WithName("openPoll")
            .WithSummary("Open a poll")
            .Carries(AnswerHeaders.Location)
            .TakesBody<PollRequest>("""{"question":"Tea or coffee?","choices":["tea","coffee"]}""")
            .Answers<Envelope<PollDocument>>(201)
            .Refuses(413, 415);
        polls
            .MapRead("", ListAsync)
            .Require(PollsNodeFeature.Read)
            .WithName("listPolls")
            .WithSummary("List polls")
            .WithDescription("The polls with the most votes.")
            .Answers<Envelope<IReadOnlyList<PollResult>>>(200);
        var one = polls.MapGroup("/{id}").TakesPath(Id);
        one.MapRead("", GetAsync)
            .Require(PollsNodeFeature.Read)
            .WithName("getPoll")
            .WithSummary("Get a poll")
            .Answers<Envelope<PollDocument>>(200)
            .Refuses(404);
        one.MapPost("/votes", VoteAsync)
            .Require(PollsNodeFeature.Vote)
            .LimitBy(VoteLimit)
            .WithName("votePoll")
            .WithSummary("Vote")
            .TakesBody<VoteRequest>("""{"choice":"tea"}""")
            .Answers<Envelope<PollDocument>>(200)
            .Refuses(404, 409, 413, 415);
        one.MapPost("/close", CloseAsync)
            .Require(PollsNodeFeature.Create)
            .WithName("closePoll")
            .WithSummary("Close a poll")
            .Answers<Envelope<PollDocument>>(200)
            .Refuses(404);
        one.MapRead("/changes", FollowAsync)
            .Require(PollsNodeFeature.Read)
            .WithMetadata(new StreamsEvents("The events of the poll: first those that have happened, then live."))
            .WithName("followPoll")
            .WithSummary("Follow a poll")
            .Answers<Envelope<PollDocument>>(200)
            .Refuses(404);
    }

    static Task<Answer> OpenAsync(HttpContext context, IGrainFactory grains, PollOptions options) =>
        RequestBody.TakeAsync(
            context,
            (body, faults) => ReadPoll(body, faults, options),
            asked =>
                ExecuteAsync(context, grains, Guid.CreateVersion7(), new OpenPoll(asked.Question, asked.Choices), 201)
        );

    static async Task<Answer> ListAsync(HttpContext context, PollQueries polls) =>
        Answer.Of<IReadOnlyList<PollResult>>(await polls.TopAsync(context.RequestAborted));

    static async Task<Answer> GetAsync(string id, IGrainFactory grains) =>
        await FindAsync(id, grains) is { } poll ? Answer.Of(PollDocument.Of(Guid.Parse(id), poll)) : Missing;

    static Task<Answer> VoteAsync(HttpContext context, string id, IGrainFactory grains) =>
        RequestBody.TakeAsync(context, "choice", 100, async choice => await FindAsync(id, grains) switch
            {
                null => Missing,
                { Closed: true } => Answer.Refused(PollsFeature.PollClosed, "The poll takes no more votes."),
                _ => await ExecuteAsync(context, grains, Guid.Parse(id), new Vote(choice)),
            });

    static async Task<Answer> CloseAsync(HttpContext context, string id, IGrainFactory grains) =>
        Ids.TryParse(id, out var poll) ? await ExecuteAsync(context, grains, poll, new ClosePoll()) : Missing;

    /// <summary>The poll now; a stream of its events with <c>Accept: text/event-stream</c>.</summary>
    static async Task<Answer> FollowAsync(
        HttpContext context,
        string id,
        IGrainFactory grains,
        EventLog log,
        LogNews news,
        EventKinds kinds,
        StreamAccess streams
    )
    {
        if (await FindAsync(id, grains) is not { } poll)
            return Missing;
        if (!context.Request.Headers.Accept.ToString().Contains(StreamsEvents.MediaType, StringComparison.Ordinal))
            return Answer.Of(PollDocument.Of(Guid.Parse(id), poll));
        if (streams.Open(context.Caller(), PollsNodeFeature.Read) is not { } lease)
            return Answer.Refused(ProblemType.TooManyStreams, "Close streams that you do not need.");
        return new StreamedAnswer(async _ =>
        {
            using (lease)
                await SendAsync(context, Guid.Parse(id), log, news, kinds, lease);
        });
    }

    static async Task SendAsync(
        HttpContext context,
        Guid poll,
        EventLog log,
        LogNews news,
        EventKinds kinds,
        StreamLease lease
    )
    {
        await StreamResponse.BeginAsync(context);
        var version = 0L;
        for (var seen = 0L; lease.End is null; )
        {
            foreach (var happened in await log.ReadAsync(poll, version))
            {
                version = happened.Version;
                StreamResponse.Write(
                    context.Response.BodyWriter,
                    happened.Sequence,
                    kinds[happened.Data.GetType()].Name,
                    JsonSerializer.SerializeToUtf8Bytes(happened.Data, happened.Data.GetType(), EventKinds.Json)
                );
            }
            await context.Response.BodyWriter.FlushAsync(context.RequestAborted);
            seen = await news.Grown.WaitAsync(seen, TimeSpan.FromSeconds(1), context.RequestAborted);
        }
        await StreamResponse.EndAsync(context, lease.End.Value);
    }

    static async Task<Answer> ExecuteAsync(
        HttpContext context,
        IGrainFactory grains,
        Guid id,
        PollCommand command,
        int status = 200
    )
    {
        var reply = await ClusterCalls.SendAsync(context.Intend(), intent =>
            grains.GetGrain<IPollGrain>(id).Execute(command, intent)
        );
        return reply.Rejection is { } rejection
            ? rejection
            : new Answer<PollDocument>(PollDocument.Of(id, reply.Value!))
            {
                Status = status,
                Location = status is 201 ? $"{ApiGroup.Path}/polls/{id}" : null,
            };
    }

    static async Task<Poll?> FindAsync(string id, IGrainFactory grains) =>
        Ids.TryParse(id, out var poll)
            ? (await ClusterCalls.ReadAsync(() => grains.GetGrain<IPollGrain>(poll).Get())).Value
            : null;

    static PollRequest ReadPoll(JsonElement body, List<Fault> faults, PollOptions options)
    {
        var reader = new ObjectReader(body, faults);
        var question = reader.Text("question", 1, 200) ?? "";
        var choices = reader.Strings("choices")?.Distinct().ToArray() ?? [];
        if (choices.Length < 2 || choices.Length > options.MaxChoices)
            faults.Report("/choices", "INVALID_CHOICES", $"A poll takes 2 to {options.MaxChoices} different choices.");
        reader.RefuseOthers();
        return new(question, choices);
    }

    static Answer Missing => Answer.Refused(ProblemType.NotFound, "There is no such poll.");
}
