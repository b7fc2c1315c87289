using System.Text.Json;
using System.Text.Json.Serialization;
using Resources.Api;
using Resources.Grains;

namespace Resources.Polls;

/// <summary>A poll, as every answer shows it.</summary>
public sealed record PollDocument(Guid Id, string Question, IReadOnlyDictionary<string, int> Votes, bool Closed)
{
    public static PollDocument Of(Guid id, Poll poll) => new(id, poll.Question, poll.Votes, poll.Closed);
}

/// <summary>What opening a poll takes.</summary>
public sealed record PollRequest(string Question, string[] Choices);

/// <summary>What a vote takes.</summary>
public sealed record VoteRequest(string Choice);

/// <summary>Answers about polls as JSON.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters = [typeof(UtcTime)]
)]
[JsonSerializable(typeof(Envelope<PollDocument>))]
[JsonSerializable(typeof(Envelope<IReadOnlyList<PollResult>>))]
public sealed partial class PollJson : JsonSerializerContext;
