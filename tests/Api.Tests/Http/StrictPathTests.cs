namespace Resources.Api.Tests;

/// <summary>The spelling of addresses.</summary>
[Trait("Conformance", "E11")]
public sealed class StrictPathTests(Backend backend)
{
    [Theory]
    [InlineData("/METRICS"), InlineData("/metrics/"), InlineData("/Metrics"), InlineData("//metrics")]
    [InlineData("/health/"), InlineData("/Health/live"), InlineData("/health/live/")]
    [InlineData("/API/v1/me"), InlineData("/api/v1/Me"), InlineData("/api/v1/me/"), InlineData("/api/v1/resources/")]
    [
        InlineData("/openapi/V1.json"),
        InlineData("/openapi/v1.json/"),
        InlineData("/Docs/"),
        InlineData("/docs/Scalar.js")
    ]
    public async Task Other_spelling_of_an_address_is_another_address(string path)
    {
        Assert.Equal(404, (await backend.Admin.GetAsync(path)).Status);
        Assert.Equal(401, (await backend.Guest.GetAsync(path)).Status);
    }

    [Theory]
    [
        InlineData("/"),
        InlineData("/metrics"),
        InlineData("/health"),
        InlineData("/health/live"),
        InlineData("/problems")
    ]
    [InlineData("/openapi/v1.json"), InlineData("/docs/"), InlineData("/docs/scalar.js")]
    public async Task Address_is_served_as_it_is_spelled(string path) =>
        Assert.Equal(200, (await backend.Guest.GetAsync(path)).Status);

    [Fact]
    public async Task Address_with_an_id_has_one_spelling_too()
    {
        var sample = await backend.CreateAsync();
        Assert.Equal(200, (await backend.Admin.GetAsync(sample.Path)).Status);
        Assert.Equal("RESOURCE_NOT_FOUND", (await backend.Admin.GetAsync($"/api/v1/resources/{Guid.Empty}")).Code);
        Assert.Equal("NOT_FOUND", (await backend.Admin.GetAsync(sample.Path + "/")).Code);
        Assert.Equal("NOT_FOUND", (await backend.Admin.GetAsync(sample.Path + "/Events")).Code);
    }
}
