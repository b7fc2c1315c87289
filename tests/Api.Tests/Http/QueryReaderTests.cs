using Microsoft.AspNetCore.Http;

namespace Resources.Api.Tests;

/// <summary>Query parameters.</summary>
public sealed class QueryReaderTests
{
    [Fact]
    public void Part_of_the_address_is_no_parameter()
    {
        var context = new DefaultHttpContext();
        context.Request.RouteValues["type"] = "book";
        Assert.Null(new QueryReader(context.Request).Text("type"));
        context.Request.QueryString = new("?type=author");
        Assert.Equal("author", new QueryReader(context.Request).Text("type"));
    }
}
