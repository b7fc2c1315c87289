using System.Globalization;
using Resources.Grains;
using Resources.Projections;

namespace Resources.Domain.Tests;

public class Rfc3339Tests
{
    [Theory]
    [InlineData("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.0000000")]
    [InlineData("2026-01-31t12:00:00z", "2026-01-31T12:00:00.0000000")]
    [InlineData("2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00.0000000")]
    [InlineData("2026-01-31T12:00:00 02:00", "2026-01-31T10:00:00.0000000")]
    [InlineData("2026-01-31T12:00:00.5-00:30", "2026-01-31T12:30:00.5000000")]
    [InlineData("2026-01-31T12:00:00.12345678999Z", "2026-01-31T12:00:00.1234567")]
    public void Valid_times_are_parsed(string text, string expected)
    {
        Assert.True(Rfc3339.TryParse(text, out var time));
        Assert.Equal(expected, time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff", CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("")]
    [InlineData("2026-01-31")]
    [InlineData("2026-01-31T12:00:00")]
    [InlineData("2026-01-31 12:00:00Z")]
    [InlineData("2026-02-30T12:00:00Z")]
    [InlineData("2026-01-31T24:00:00Z")]
    [InlineData("2026-01-31T12:00:00.Z")]
    [InlineData("2026-01-31T12:00:00Z\n")]
    [InlineData("0001-01-01T00:00:00+14:00")]
    public void Other_texts_are_refused(string text) => Assert.False(Rfc3339.TryParse(text, out _));
}
