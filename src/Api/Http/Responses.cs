using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Resources.Api;

/// <summary>The body of every success.</summary>
public sealed record Envelope<T>(T Data, Meta Meta)
    where T : notnull
{
    [JsonPropertyOrder(-1)]
    public bool Success => true;
}

/// <summary>What stands beside the data.</summary>
/// <param name="Position">Where the log stood in this answer; on writes and lists.</param>
/// <param name="Count">How many there are in all, when asked for.</param>
public sealed record Meta(
    DateTimeOffset Timestamp,
    string RequestId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Position = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] PageMeta? Page = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Count = null
);

/// <param name="Next">Value for the next page's <c>cursor</c> or <c>after</c>; null at the end.</param>
public sealed record PageMeta(int Limit, string? Next);

/// <summary>Writes JSON bodies.</summary>
public static class Responses
{
    /// <summary>The header that says which position of the log an answer reflects.</summary>
    public const string PositionHeader = "Position";

    /// <summary>Answers data in the envelope.</summary>
    public static Task OkAsync<T>(
        HttpContext context,
        T data,
        JsonTypeInfo<Envelope<T>> json,
        long? position = null,
        PageMeta? page = null,
        int status = 200,
        long? count = null
    )
        where T : notnull
    {
        context.Response.StatusCode = status;
        var at = position is null ? null : SetPosition(context, position.Value);
        return WriteAsync(
            context,
            new Envelope<T>(
                data,
                new(
                    context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow(),
                    context.TraceIdentifier,
                    at,
                    page,
                    count
                )
            ),
            json,
            "application/json"
        );
    }

    /// <summary>Puts the position on an answer; returns its public form.</summary>
    public static string SetPosition(HttpContext context, long position)
    {
        var text = Text(position);
        context.Response.Headers[PositionHeader] = text;
        return text;
    }

    /// <summary>The public form of a position.</summary>
    public static string Text(long position) => position.ToString(CultureInfo.InvariantCulture);

    /// <summary>Writes a body as JSON, with its length.</summary>
    public static Task WriteAsync<T>(HttpContext context, T body, JsonTypeInfo<T> json, string mediaType)
    {
        var bytes = Serialize(body, json);
        ResponseMemory.Hold(context, bytes.Length);
        var response = context.Response;
        response.ContentType = mediaType;
        response.ContentLength = bytes.Length;
        response.BodyWriter.Write(bytes);
        // Threads of the pool live long.
        if (Scratch.Value!.Buffer.Capacity > MaxKept)
            Scratch.Value = NewScratch();
        return Task.CompletedTask;
    }

    /// <summary>A body as JSON, text as it was sent; good until this thread serialises the next.</summary>
    public static ReadOnlySpan<byte> Serialize<T>(T body, JsonTypeInfo<T> json)
    {
        if (Scratch.Value!.Buffer.Capacity > MaxKept)
            Scratch.Value = NewScratch();
        var (buffer, writer) = Scratch.Value!;
        buffer.ResetWrittenCount();
        writer.Reset();
        JsonSerializer.Serialize(writer, body, json);
        return buffer.WrittenSpan;
    }

    const int MaxKept = 256 * 1024;

    static readonly ThreadLocal<(ArrayBufferWriter<byte> Buffer, Utf8JsonWriter Writer)> Scratch = new(NewScratch);

    static (ArrayBufferWriter<byte>, Utf8JsonWriter) NewScratch()
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        return (
            buffer,
            new(buffer, new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true })
        );
    }
}
