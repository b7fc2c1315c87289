using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using GraphQL;
using Resources.Grains;

namespace Resources.Api;

/// <summary>What an operation came to.</summary>
/// <param name="Result">Null where nothing was run.</param>
/// <param name="Position">The position of the log that it is of.</param>
sealed record GraphOutcome(ExecutionResult? Result, GraphErrors Errors, long? Position, long? Cost)
{
    static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>The answer in place of the outcome, where a limit of the caller is used up.</summary>
    public Answer? Refusal { get; init; }

    /// <summary>Whether the operation was run, if with errors or not to its end: something of it may have been done.</summary>
    public bool HasBegun { get; init; }

    /// <summary>Whether there was a document to run.</summary>
    public bool IsRead { get; init; }

    /// <summary>Whether it is of a mutation, which may have taken effect.</summary>
    public bool IsMutation { get; init; }

    /// <summary>Whether it is of an event, or a step of a list, of a subscription.</summary>
    public bool IsOfEvent { get; init; }

    /// <summary>The answer, where it is written already.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>Memory of what is in it, which is given back when it was sent.</summary>
    public IReadOnlyList<MemoryLease> Memory { get; init; } = [];

    /// <summary>Sends the outcome where it is no HTTP response of its own, with memory for as long as that takes.</summary>
    /// <param name="holder">Whose memory it is.</param>
    /// <exception cref="StoreOverloadedException">There is no memory for it: the caller, or the node, has its part.</exception>
    /// <param name="ct">Ends the wait for memory.</param>
    public async Task SendAsync(
        HttpContext context,
        string holder,
        Func<ReadOnlyMemory<byte>, Task> send,
        CancellationToken ct
    )
    {
        try
        {
            var body = ToJson();
            // What was taken for its rows is enough for the most part; the rows are not needed any more.
            if (Memory is [var taken, ..])
                taken.Set(body.Length);
            using var memory = Memory is [] ? await TakeAsync(context, holder, body.Length, ct) : null;
            await send(body);
        }
        finally
        {
            foreach (var memory in Memory)
                memory.Dispose();
        }
    }

    async ValueTask<MemoryLease?> TakeAsync(HttpContext context, string holder, int bytes, CancellationToken ct)
    {
        for (; ; )
            try
            {
                return await ResponseMemory.TakeAsync(context, holder, bytes, hasEffect: IsMutation);
            }
            catch (StoreOverloadedException) when (IsOfEvent)
            {
                // The client gets it when it has read other answers: no event is left out. It is refused at once where
                // many others wait already.
                await Task.Delay(StreamResponse.StoreRest, ct);
            }
    }

    /// <summary>The outcome as the specification has it.</summary>
    public ReadOnlyMemory<byte> ToJson()
    {
        if (Body is { } written)
            return written;
        try
        {
            return Written();
        }
        catch (AnswerTooLargeException)
        {
            Errors.Add(
                new RefusedError(ProblemType.TooComplex, $"An answer has at most {GraphWriter.MaxBytes} bytes.")
            );
            return (this with { Result = null, HasBegun = false }).Written();
        }
    }

    ReadOnlyMemory<byte> Written()
    {
        var output = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(output, Relaxed))
            Write(json);
        return output.WrittenMemory;
    }

    void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        if (HasBegun)
        {
            json.WritePropertyName("data");
            new GraphWriter(json, Errors).Write(Result!.Data);
        }
        if (Errors.All is not [])
        {
            json.WritePropertyName("errors");
            Errors.Write(json);
        }
        json.WriteStartObject("extensions");
        if (Position is { } position)
            json.WriteString("position", Responses.Text(position));
        if (Cost is { } cost)
            json.WriteNumber("cost", cost);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}

/// <summary>An outcome as an answer, with the status that its media type asks for.</summary>
sealed class GraphResponse(GraphOutcome outcome) : Answer
{
    /// <summary>The draft's status of data with errors.</summary>
    public const int PartialSuccess = 294;

    protected override Task WriteBodyAsync(HttpContext context)
    {
        var isOwn =
            context.Request.Headers.Accept.Count > 0
            && Accepted.Read(context.Request).Prefers("application", "graphql-response+json");
        foreach (var memory in outcome.Memory)
            ResponseMemory.Hold(context, memory);
        var body = outcome.ToJson();
        ResponseMemory.Hold(context, body.Length);
        var response = context.Response;
        var statuses = context.RequestServices.GetRequiredService<GraphOptions>().Statuses;
        if (outcome.Position is { } position)
            Responses.SetPosition(context, position);
        response.StatusCode = StatusOf(isOwn, statuses);
        response.ContentType = isOwn ? GraphEndpoint.MediaType : "application/json";
        response.ContentLength = body.Length;
        response.BodyWriter.Write(body.Span);
        return Task.CompletedTask;
    }

    /// <summary>The status, which is of an answer that was written: it may have found further errors.</summary>
    int StatusOf(bool isOwn, GraphStatuses statuses)
    {
        var errors = outcome.Errors.All;
        var isDraft = statuses is GraphStatuses.Draft;
        return errors.Any(error => error.Code == ProblemType.DocumentNotTrusted.Code) ? StatusCodes.Status403Forbidden
            : !isOwn || outcome.HasBegun && (!isDraft || errors is []) ? StatusCodes.Status200OK
            : outcome.HasBegun ? PartialSuccess
            : isDraft && outcome.IsRead ? StatusCodes.Status422UnprocessableEntity
            : StatusCodes.Status400BadRequest;
    }
}
